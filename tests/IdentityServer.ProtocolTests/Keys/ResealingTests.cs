using IdentityServer.Keys;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.DataProtection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>What a previous master key sealed is sealed under the current one: row by row, whatever comes between.</summary>
public sealed class ResealingTests
{
    /// <summary>Every signing key, and one of the Data Protection ring.</summary>
    private static readonly int All = KeyFactory.Algorithms.Count + 1;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_is_sealed_under_the_new_key_and_the_old_one_can_go()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        var old = MasterKeyFile.Read($"{database.Folder}/one.key").Id;
        var current = database.NewKey("two.key");
        string text;
        await using (var server = await StartChangingAsync(database))
        {
            text = Protector(server).Protect("cookie");
            var before = await KeyedDatabase.SigningKeysAsync(server);

            var result = await server.Services.GetRequiredService<Resealing>().RunAsync("test", Ct);

            Assert.Equal((current, KeyFactory.Algorithms.Count, 1), (result.MasterKeyId, result.SigningKeys, result.DataProtectionKeys));
            Assert.Empty(result.Closed);
            var after = await KeyedDatabase.SigningKeysAsync(server);
            Assert.All(after, key => Assert.Equal(current, key.MasterKeyId));
            Assert.Equal(before.Select(key => key.PublicJwk), after.Select(key => key.PublicJwk));
            Assert.Equal("cookie", Protector(server).Unprotect(text));

            var audit = await KeyedDatabase.ResealedAsync(server);
            Assert.Equal(All, audit.Count);
            Assert.All(audit, entry => Assert.Equal("test", entry.Actor));
            Assert.All(audit, entry => Assert.EndsWith($"from {old} to {current}", entry.Detail, StringComparison.Ordinal));

            var again = await server.Services.GetRequiredService<Resealing>().RunAsync("test", Ct);
            Assert.Equal((0, 0), (again.SigningKeys, again.DataProtectionKeys));
            Assert.Equal(All, (await KeyedDatabase.ResealedAsync(server)).Count);
        }

        await using var later = await database.StartAsync(("Path", "two.key"));
        Assert.Equal("cookie", Protector(later).Unprotect(text));
        Assert.Equal(KeyFactory.Algorithms.Count, (await KeyedDatabase.SigningKeysAsync(later)).Count);
        Assert.Contains(
            $"sealed under master key {current}", await database.RefusalAsync(("Path", "one.key")), StringComparison.Ordinal);
    }

    /// <summary>On a node that has not come to the next step yet, keys that the others seal open all the same.</summary>
    [Fact]
    public async Task At_every_step_of_the_roll_each_node_opens_what_every_other_seals()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        database.NewKey("two.key");
        (string, string)[][] steps =
        [
            [("Path", "one.key")],
            [("Path", "one.key"), ("Previous:0:Path", "two.key")],
            [("Path", "two.key"), ("Previous:0:Path", "one.key")],
        ];

        for (var step = 1; step < steps.Length; step++)
        {
            await using var before = await database.StartAsync(steps[step - 1]);
            await using var after = await database.StartAsync(steps[step]);
            foreach (var (sealing, opening) in new[] { (before, after), (after, before) })
            {
                var box = sealing.Services.GetRequiredService<IKeyProtector>().Seal("secret"u8, "place");
                Assert.True(opening.Services.GetRequiredService<IKeyProtector>().TryOpen(box, "place", out _), $"Step {step}.");
            }
        }

        // Nothing is refused that a careful operator may do on the way.
        await using (await database.StartAsync(("Path", "one.key"), ("Previous:0:Path", "one.key"), ("Previous:1:Path", "two.key")))
        {
        }
    }

    [Fact]
    public async Task Before_it_ran_a_start_without_the_previous_key_is_refused_with_every_key_named()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        var old = MasterKeyFile.Read($"{database.Folder}/one.key").Id;
        database.NewKey("two.key");
        IReadOnlyList<SigningKey> keys;
        await using (var server = await StartChangingAsync(database))
        {
            keys = await KeyedDatabase.SigningKeysAsync(server);
        }

        var refusal = await database.RefusalAsync(("Path", "two.key"));

        Assert.All(keys, key => Assert.Contains(
            $"signing key {key.Kid} ({key.Algorithm}), sealed under master key {old}", refusal, StringComparison.Ordinal));
        Assert.Contains($"1 Data Protection key(s), sealed under master key {old}", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Stopped_between_two_rows_it_goes_on_where_it_was(int stopAt)
    {
        await using var database = await KeyedDatabase.CreateAsync();
        database.NewKey("two.key");
        await using var server = await StartChangingAsync(database);
        using var stop = new CancellationTokenSource();
        var clock = new StoppingClock(stopAt, stop);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ResealingOn(server, clock).RunAsync("test", stop.Token));

        Assert.Equal(stopAt - 1, (await KeyedDatabase.ResealedAsync(server)).Count);
        await using (await StartChangingAsync(database))
        {
        }

        var rest = await server.Services.GetRequiredService<Resealing>().RunAsync("test", Ct);
        Assert.Equal(All - (stopAt - 1), rest.SigningKeys + rest.DataProtectionKeys);
        Assert.Empty(rest.Closed);
        Assert.Equal(All, (await KeyedDatabase.ResealedAsync(server)).Count);
        await using (await database.StartAsync(("Path", "two.key")))
        {
        }
    }

    [Fact]
    public async Task Two_nodes_at_once_seal_each_row_once()
    {
        for (var round = 0; round < 5; round++)
        {
            await using var database = await KeyedDatabase.CreateAsync();
            database.NewKey("two.key");
            await using var one = await StartChangingAsync(database);
            await using var other = await StartChangingAsync(database);

            var results = await Task.WhenAll(
                Task.Run(() => one.Services.GetRequiredService<Resealing>().RunAsync("one", Ct), Ct),
                Task.Run(() => other.Services.GetRequiredService<Resealing>().RunAsync("other", Ct), Ct));

            Assert.Equal(All, results.Sum(result => result.SigningKeys + result.DataProtectionKeys));
            Assert.All(results, result => Assert.Empty(result.Closed));
            Assert.Equal(All, (await KeyedDatabase.ResealedAsync(one)).Count);
            await using (await database.StartAsync(("Path", "two.key")))
            {
            }
        }
    }

    /// <summary>During a roll some nodes seal with the old key and some with the new one, and the jobs of both may run.</summary>
    [Fact]
    public async Task Two_nodes_that_seal_with_different_keys_do_no_harm_and_the_last_to_change_over_decides()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        database.NewKey("two.key");
        await using (var behind = await database.StartAsync(("Path", "one.key"), ("Previous:0:Path", "two.key")))
        await using (var ahead = await StartChangingAsync(database))
        {
            for (var round = 0; round < 5; round++)
            {
                var results = await Task.WhenAll(
                    Task.Run(() => behind.Services.GetRequiredService<Resealing>().RunAsync("behind", Ct), Ct),
                    Task.Run(() => ahead.Services.GetRequiredService<Resealing>().RunAsync("ahead", Ct), Ct));
                Assert.All(results, result => Assert.Empty(result.Closed));
            }
        }

        await using (var ahead = await StartChangingAsync(database))
        {
            Assert.Empty((await ahead.Services.GetRequiredService<Resealing>().RunAsync("ahead", Ct)).Closed);
        }

        await using (await database.StartAsync(("Path", "two.key")))
        {
        }
    }

    [Fact]
    public async Task What_does_not_open_is_named_and_left_alone_and_the_rest_is_done()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        database.NewKey("two.key");
        await using var server = await StartChangingAsync(database);
        await database.ExecuteAsync(
            "UPDATE \"SigningKeys\" SET \"SealedPrivateKey\" = substr(\"SealedPrivateKey\", 1, 99) WHERE \"Algorithm\" = 'ES256'");
        var damaged = (await KeyedDatabase.SigningKeysAsync(server)).Single(key => key.Algorithm == "ES256");

        var result = await server.Services.GetRequiredService<Resealing>().RunAsync("test", Ct);

        Assert.Equal((KeyFactory.Algorithms.Count - 1, 1), (result.SigningKeys, result.DataProtectionKeys));
        var closed = Assert.Single(result.Closed);
        Assert.Equal(damaged.Kid, closed.Id);
        Assert.NotNull(closed.Fault);
        Assert.Equal(damaged.SealedPrivateKey, (await KeyedDatabase.SigningKeysAsync(server)).Single(key => key.Kid == damaged.Kid).SealedPrivateKey);
    }

    private static Task<WebApplication> StartChangingAsync(KeyedDatabase database) =>
        database.StartAsync(("Path", "two.key"), ("Previous:0:Path", "one.key"));

    private static IDataProtector Protector(WebApplication server) =>
        server.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

    private static Resealing ResealingOn(WebApplication server, TimeProvider clock) => new(
        server.Services.GetRequiredService<IKeyStore>(),
        server.Services.GetRequiredService<IDataProtectionKeys>(),
        server.Services.GetRequiredService<SealedKeys>(),
        server.Services.GetRequiredService<MasterKeyProtector>(),
        server.Services.GetRequiredService<KeyFactory>(),
        clock);

    /// <summary>Each row is asked the time once: at the n-th, the process is told to stop.</summary>
    private sealed class StoppingClock(int stopAt, CancellationTokenSource stop) : TimeProvider
    {
        private int _asked;

        public override DateTimeOffset GetUtcNow()
        {
            if (++_asked == stopAt)
            {
                stop.Cancel();
            }

            return base.GetUtcNow();
        }
    }
}
