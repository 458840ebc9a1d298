using IdentityServer.Protocol;
using IdentityServer.Storage;
using IdentityServer.Storage.SignIns;

namespace IdentityServer.StorageTests.SignIns;

public sealed class CeremoniesContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_ceremony_is_taken_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var ceremonies = storage.Get<ICeremonies>();
        var ceremony = Begun(CeremonyKind.Registration) with { Subject = "alice", State = """{"challenge":"ä\"😀"}""" };
        await ceremonies.SaveAsync(ceremony, Ct);

        var taken = await TakeAsync(ceremonies, ceremony);
        var again = await TakeAsync(ceremonies, ceremony);

        Assert.Equal(ceremony, taken.Ceremony);
        Assert.Equal((null, CeremonyFault.Replayed), (again.Ceremony, again.Fault));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_many_who_take_it_at_once_on_two_nodes_one_gets_it(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var ceremony = Begun(CeremonyKind.SignIn);
        await storage.Get<ICeremonies>().SaveAsync(ceremony, Ct);

        var taken = await AtOnceAsync(8, async i => await TakeAsync((i % 2 == 0 ? storage : other).Get<ICeremonies>(), ceremony));

        Assert.Single(taken, one => one.Ceremony is not null);
        Assert.Equal(7, taken.Count(one => one.Fault == CeremonyFault.Replayed));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_ceremony_ends_by_the_clock(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var ceremonies = storage.Get<ICeremonies>();
        var ceremony = Begun(CeremonyKind.SignIn);
        await ceremonies.SaveAsync(ceremony, Ct);

        var late = await ceremonies.TakeAsync(ceremony.Hash, ceremony.Kind, ceremony.BrowserHash, ceremony.ExpiresAt, Ct);
        var inTime = await ceremonies.TakeAsync(
            ceremony.Hash, ceremony.Kind, ceremony.BrowserHash, ceremony.ExpiresAt.AddMilliseconds(-1), Ct);

        Assert.Equal(CeremonyFault.Expired, late.Fault);
        Assert.NotNull(inTime.Ceremony);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_ceremony_is_finished_where_and_for_what_it_began(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var ceremonies = storage.Get<ICeremonies>();
        var ceremony = Begun(CeremonyKind.SignIn);
        await ceremonies.SaveAsync(ceremony, Ct);

        Assert.Equal(CeremonyFault.Unknown, (await TakeAsync(ceremonies, Begun(CeremonyKind.SignIn))).Fault);
        Assert.Equal(
            CeremonyFault.OtherBrowser, (await TakeAsync(ceremonies, ceremony with { BrowserHash = Handle.Create().Hash })).Fault);
        Assert.Equal(CeremonyFault.OtherKind, (await TakeAsync(ceremonies, ceremony with { Kind = CeremonyKind.Factor })).Fault);
        Assert.NotNull((await TakeAsync(ceremonies, ceremony)).Ceremony);
    }

    private static Ceremony Begun(CeremonyKind kind) => new()
    {
        Hash = Handle.Create().Hash,
        Kind = kind,
        BrowserHash = Handle.Create().Hash,
        State = "{}",
        ExpiresAt = Samples.Now.AddMinutes(10),
    };

    private static async Task<TakenCeremony> TakeAsync(ICeremonies ceremonies, Ceremony ceremony) =>
        await ceremonies.TakeAsync(ceremony.Hash, ceremony.Kind, ceremony.BrowserHash, Samples.Now, Ct);
}
