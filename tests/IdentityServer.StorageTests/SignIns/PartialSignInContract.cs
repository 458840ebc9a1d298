using IdentityServer.Protocol;
using IdentityServer.Storage;
using IdentityServer.Storage.SignIns;

namespace IdentityServer.StorageTests.SignIns;

/// <summary>What <see cref="IPartialSignIns"/> promises.</summary>
public sealed class PartialSignInContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_sign_in_under_way_is_finished_once_and_in_time(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var partials = storage.Get<IPartialSignIns>();
        var partial = new PartialSignIn
        {
            Hash = Handle.Create().Hash,
            Subject = Handle.NewId(),
            Amr = ["pwd"],
            ProvenAt = Samples.Now,
            KeepSignedIn = true,
            SessionId = Handle.NewId(),
            ExpiresAt = Samples.Now.AddMinutes(15),
        };
        await partials.SaveAsync(partial, Ct);

        var found = (await other.Get<IPartialSignIns>().FindAsync(partial.Hash, Samples.Now, Ct))!;
        Assert.Equal(partial with { Amr = found.Amr }, found);
        Assert.Equal(["pwd"], found.Amr);
        Assert.Null(await partials.FindAsync(partial.Hash, partial.ExpiresAt, Ct));
        Assert.False(await partials.TakeAsync(partial.Hash, partial.ExpiresAt, Ct));
        var taken = await AtOnceAsync(16, i => (i % 2 == 0 ? storage : other).Get<IPartialSignIns>()
            .TakeAsync(partial.Hash, Samples.Now, Ct).AsTask());
        Assert.Single(taken, isTaken => isTaken);
        Assert.Null(await partials.FindAsync(partial.Hash, Samples.Now, Ct));
    }
}
