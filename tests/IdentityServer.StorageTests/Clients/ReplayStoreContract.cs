using IdentityServer.Protocol.Clients;
using IdentityServer.Storage;

namespace IdentityServer.StorageTests.Clients;

public sealed class ReplayStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_value_is_new_once_for_each_purpose(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var replays = storage.Get<IReplayStore>();
        var end = Samples.Now.AddMinutes(1);
        var odd = new string('é', 5000) + "\0";

        Assert.True(await replays.TryUseAsync("assertion:web", "jti", end, Ct));
        Assert.False(await replays.TryUseAsync("assertion:web", "jti", end, Ct));
        Assert.True(await replays.TryUseAsync("assertion:web", "JTI", end, Ct));
        Assert.True(await replays.TryUseAsync("assertion:app", "jti", end, Ct));
        Assert.True(await replays.TryUseAsync("assertion:web", odd, end, Ct));
        Assert.False(await replays.TryUseAsync("assertion:web", odd, end, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_64_uses_at_once_on_two_nodes_one_is_the_first(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();

        var first = await AtOnceAsync(64, i => (i % 2 == 0 ? storage : other).Get<IReplayStore>()
            .TryUseAsync("assertion", "jti", Samples.Now, Ct).AsTask());

        Assert.Single(first, done => done);
    }
}
