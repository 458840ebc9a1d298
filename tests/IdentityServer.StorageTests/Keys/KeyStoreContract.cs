using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Keys;

public sealed class KeyStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_key_comes_back_as_it_was_added(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();
        var key = Key("k1", "ES256", "");

        Assert.True(await keys.AddAsync(key, Samples.Audit("key"), Ct));

        Assert.Equivalent(new[] { key }, await keys.ListAsync(Ct), strict: true);
        var change = Assert.Single(await storage.Get<IChangeLog>().ReadAsync(0, Ct));
        Assert.Equal((ChangeKind.Key, "k1"), (change.Kind, change.Key));
        Assert.Equal(["key"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_key_has_one_successor_for_each_algorithm(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();

        Assert.True(await keys.AddAsync(Key("k1", "ES256", ""), Samples.Audit(), Ct));
        Assert.True(await keys.AddAsync(Key("r1", "RS256", ""), Samples.Audit(), Ct));
        Assert.True(await keys.AddAsync(Key("k2", "ES256", "k1"), Samples.Audit(), Ct));
        Assert.False(await keys.AddAsync(Key("k3", "ES256", "k1"), Samples.Audit("refused"), Ct));
        Assert.True(await keys.AddAsync(Key("k4", "ES256", "K1"), Samples.Audit(), Ct));

        Assert.DoesNotContain("refused", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Two_nodes_that_add_the_first_key_at_once_end_with_one_200_times(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();

        for (var round = 0; round < 200; round++)
        {
            var added = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<IKeyStore>()
                .AddAsync(Key($"k{round}-{i}", "ES256", $"p{round}"), Samples.Audit(), Ct).AsTask());
            Assert.Single(added, done => done);
        }

        Assert.Equal(200, await CountAsync<SigningKey>(storage));
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        Assert.Equal(200, await db.Changes.CountAsync(Ct));
        Assert.Equal(200, await db.AuditEvents.CountAsync(Ct));
    }

    private static SigningKey Key(string kid, string algorithm, string predecessor) => new()
    {
        Kid = kid,
        Algorithm = algorithm,
        Predecessor = predecessor,
        CreatedAt = Samples.Now,
        ActiveFrom = Samples.Now.AddHours(24),
        RevokedAt = Samples.Now.AddDays(3),
        ErasedAt = Samples.Now.AddDays(4),
        PublicJwk = """{"kty":"EC"}""",
        SealedPrivateKey = [0, 1, 2, 255],
        MasterKeyId = "m1",
    };
}
