using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Keys;

public sealed class KeyStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_was_added_comes_back_as_it_was(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();
        var first = First("k1") with
        {
            Plan = new KeyPlan
            {
                Algorithm = "ES256",
                Cron = "0 9 1 * *",
                TimeZone = "Asia/Shanghai",
                IsForced = true,
                SkippedThrough = Samples.Now,
            },
        };

        Assert.True(await keys.TryChangeAsync(first, Samples.Audit("key"), Ct));

        var rows = await keys.LoadAsync(Ct);
        Assert.Equivalent(new[] { first.AddedKey }, rows.Keys, strict: true);
        Assert.Equal(first.AddedActivation, Assert.Single(rows.Activations));
        Assert.Equal(first.Plan with { Version = 1 }, Assert.Single(rows.Plans));
        var change = Assert.Single(await storage.Get<IChangeLog>().ReadAsync(0, Ct));
        Assert.Equal((ChangeKind.Key, "k1"), (change.Kind, change.Key));
        Assert.Equal(["key"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_was_decided_on_an_older_version_is_not_done(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();
        Assert.True(await keys.TryChangeAsync(First("k1"), Samples.Audit(), Ct));
        var plan = Assert.Single((await keys.LoadAsync(Ct)).Plans);

        Assert.True(await keys.TryChangeAsync(Next(plan, "k2", after: "k1"), Samples.Audit(), Ct));
        Assert.False(await keys.TryChangeAsync(Next(plan, "k3", after: "k2"), Samples.Audit("refused"), Ct));

        // The index alone holds too: the version is right, the predecessor is taken.
        var now = Assert.Single((await keys.LoadAsync(Ct)).Plans);
        Assert.False(await keys.TryChangeAsync(Next(now, "k4", after: "k1"), Samples.Audit("refused"), Ct));
        Assert.True(await keys.TryChangeAsync(Next(now, "k5", after: "K1"), Samples.Audit(), Ct));

        Assert.Equal(["k1", "k2", "k5"], (await keys.ListAsync(Ct)).Select(key => key.Kid));
        Assert.DoesNotContain("refused", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_activation_moves_and_goes_and_a_key_is_revoked_and_erased(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();
        Assert.True(await keys.TryChangeAsync(First("k1"), Samples.Audit(), Ct));
        var plan = Assert.Single((await keys.LoadAsync(Ct)).Plans);
        Assert.True(await keys.TryChangeAsync(Next(plan, "k2", after: "k1"), Samples.Audit(), Ct));

        // Going back to k1 stands between it and k2, in one change.
        var rows = await keys.LoadAsync(Ct);
        var pending = rows.Activations.Single(span => span.Kid == "k2");
        var back = Activation("back", "k1", after: "k1");
        Assert.True(await keys.TryChangeAsync(
            new KeyChange
            {
                Plan = rows.Plans[0],
                AddedActivation = back,
                ChangedActivation = pending with { Predecessor = back.Id, At = Samples.Now.AddDays(9), ReleasedAt = Samples.Now },
            },
            Samples.Audit(),
            Ct));

        rows = await keys.LoadAsync(Ct);
        pending = rows.Activations.Single(span => span.Kid == "k2");
        Assert.Equal((back.Id, Samples.Now.AddDays(9), Samples.Now), (pending.Predecessor, pending.At, pending.ReleasedAt));
        Assert.True(await keys.TryChangeAsync(
            new KeyChange
            {
                Plan = rows.Plans[0],
                RemovedActivation = pending.Id,
                ChangedKey = rows.Find("k2")! with
                {
                    RevokedAt = Samples.Now,
                    RevokedBecause = new string('x', 1000),
                    ErasedAt = Samples.Now,
                    SealedPrivateKey = null,
                },
            },
            Samples.Audit(),
            Ct));

        rows = await keys.LoadAsync(Ct);
        Assert.Equal(["k1", "k1"], rows.Activations.Select(span => span.Kid));
        Assert.Null(rows.Find("k2")!.SealedPrivateKey);
        Assert.Equal(Samples.Now, rows.Find("k2")!.RevokedAt);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_is_not_there_cannot_be_changed(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();
        var plan = new KeyPlan { Algorithm = "ES256" };

        var removed = await keys.TryChangeAsync(new KeyChange { Plan = plan, RemovedActivation = "none" }, Samples.Audit(), Ct);
        var revoked = await keys.TryChangeAsync(new KeyChange { Plan = plan, ChangedKey = Key("k1", "ES256") }, Samples.Audit(), Ct);
        var moved = await keys.TryChangeAsync(new KeyChange { Plan = plan, ChangedActivation = Activation("a", "k1", "") }, Samples.Audit(), Ct);

        Assert.Equal((false, false, false), (removed, revoked, moved));
        Assert.Empty((await keys.LoadAsync(Ct)).Plans);
        Assert.Empty(await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Two_nodes_that_add_the_first_key_or_a_successor_at_once_end_with_one_200_times(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        for (var round = 0; round < 200; round++)
        {
            // A new algorithm each time: its first key, then the successor.
            var algorithm = $"A{round}";
            Assert.Single(
                await AtOnceAsync(2, i => Node(i).TryChangeAsync(First($"k{round}-{i}", algorithm), Samples.Audit(), Ct).AsTask()),
                done => done);
            var rows = await storage.Get<IKeyStore>().LoadAsync(Ct);
            var first = rows.Activations.Single(span => span.Algorithm == algorithm);
            Assert.Single(
                await AtOnceAsync(2, i => Node(i).TryChangeAsync(
                    Next(rows.PlanOf(algorithm)!, $"s{round}-{i}", first.Id), Samples.Audit(), Ct).AsTask()),
                done => done);
        }

        Assert.Equal(400, await CountAsync<SigningKey>(storage));
        Assert.Equal(400, await CountAsync<KeyActivation>(storage));
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        Assert.Equal(400, await db.Changes.CountAsync(Ct));
        Assert.Equal(400, await db.AuditEvents.CountAsync(Ct));

        IKeyStore Node(int i) => (i == 0 ? storage : other).Get<IKeyStore>();
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_key_is_sealed_anew_only_while_its_box_is_the_one_that_was_read(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();
        await keys.TryChangeAsync(First("k1"), Samples.Audit("added"), Ct);

        Assert.False(await keys.ResealAsync("k1", [0, 1, 2], [9], "m2", Samples.Audit("refused"), Ct));
        Assert.False(await keys.ResealAsync("K1", [0, 1, 2, 255], [9], "m2", Samples.Audit("refused"), Ct));
        Assert.True(await keys.ResealAsync("k1", [0, 1, 2, 255], [9], "m2", Samples.Audit("resealed"), Ct));
        Assert.False(await keys.ResealAsync("k1", [0, 1, 2, 255], [8], "m3", Samples.Audit("refused"), Ct));

        var stored = Assert.Single(await keys.ListAsync(Ct));
        Assert.Equivalent(Key("k1", "ES256") with { SealedPrivateKey = [9], MasterKeyId = "m2" }, stored, strict: true);
        Assert.Equal(["resealed", "added"], await AuditTypesAsync(storage));
        Assert.Equal(["k1", "k1"], (await storage.Get<IChangeLog>().ReadAsync(0, Ct)).Select(change => change.Key));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_key_sealed_anew_stays_so_when_it_is_revoked_and_is_not_sealed_anew_once_erased(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var keys = storage.Get<IKeyStore>();
        await keys.TryChangeAsync(First("k1"), Samples.Audit(), Ct);
        var before = await keys.LoadAsync(Ct);
        Assert.True(await keys.ResealAsync("k1", [0, 1, 2, 255], [9], "m2", Samples.Audit(), Ct));

        // Decided on what was there before.
        var revoked = before.Keys[0] with { RevokedAt = Samples.Now };
        Assert.True(await keys.TryChangeAsync(new KeyChange { Plan = before.Plans[0], ChangedKey = revoked }, Samples.Audit(), Ct));
        var after = await keys.LoadAsync(Ct);
        Assert.Equivalent(revoked with { SealedPrivateKey = [9], MasterKeyId = "m2" }, after.Keys[0], strict: true);

        var erased = before.Keys[0] with { SealedPrivateKey = null, RevokedAt = Samples.Now, ErasedAt = Samples.Now };
        Assert.True(await keys.TryChangeAsync(new KeyChange { Plan = after.Plans[0], ChangedKey = erased }, Samples.Audit(), Ct));
        Assert.False(await keys.ResealAsync("k1", [9], [8], "m3", Samples.Audit("refused"), Ct));
        Assert.Equivalent(erased with { MasterKeyId = "m2" }, Assert.Single(await keys.ListAsync(Ct)), strict: true);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Two_nodes_that_seal_a_key_anew_at_once_do_it_once_50_times(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        await storage.Get<IKeyStore>().TryChangeAsync(
            First("k1") with { AddedKey = Key("k1", "ES256") with { SealedPrivateKey = [0] } }, Samples.Audit(), Ct);

        for (byte round = 0; round < 50; round++)
        {
            byte[] box = [round], resealed = [(byte)(round + 1)];
            var done = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<IKeyStore>()
                .ResealAsync("k1", box, resealed, $"m{i}", Samples.Audit(), Ct).AsTask());
            Assert.Single(done, won => won);
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Fetches_and_uses_add_up_across_nodes(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        await AtOnceAsync(8, async i =>
        {
            var node = i % 2 == 0 ? storage : other;
            var at = Samples.Now.AddMinutes(i);
            await node.Get<IKeyFetchStore>().AddAsync([new("app", "k1", at, at, 2), new("app", "k2", at, at, 1)], Ct);
            await node.Get<IKeyUseStore>().AddAsync([new("k1", "app", Samples.Now, 5), new("k1", "app", Samples.Now.AddMinutes(10), 1)], Ct);
            return true;
        });

        Assert.Equal(
            [("k1", 16L), ("k2", 8L)], (await storage.Get<IKeyFetchStore>().ListAsync(Ct)).Select(fetch => (fetch.Kid, fetch.Count)));
        Assert.Equal(
            [5L * 8, 8L],
            (await storage.Get<IKeyUseStore>().ListAsync(Samples.Now.AddMilliseconds(-1), Ct)).OrderBy(use => use.Until).Select(use => use.Count));
    }

    private static KeyChange First(string kid, string algorithm = "ES256") => new()
    {
        Plan = new KeyPlan { Algorithm = algorithm },
        AddedKey = Key(kid, algorithm),
        AddedActivation = Activation(kid, kid, after: "", algorithm),
    };

    private static KeyChange Next(KeyPlan plan, string kid, string after) => new()
    {
        Plan = plan,
        AddedKey = Key(kid, plan.Algorithm),
        AddedActivation = Activation(kid, kid, after, plan.Algorithm),
    };

    private static KeyActivation Activation(string id, string kid, string after, string algorithm = "ES256") => new()
    {
        Id = id,
        Algorithm = algorithm,
        Kid = kid,
        Predecessor = after,
        At = Samples.Now,
        AwaitsReadiness = true,
        ReleasedAt = Samples.Now.AddHours(1),
    };

    private static SigningKey Key(string kid, string algorithm) => new()
    {
        Kid = kid,
        Algorithm = algorithm,
        CreatedAt = Samples.Now,
        PublicJwk = """{"kty":"EC"}""",
        SealedPrivateKey = [0, 1, 2, 255],
        MasterKeyId = "m1",
    };
}
