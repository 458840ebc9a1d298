using IdentityServer.Protocol.Keys;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>
/// Ten years in seconds: two nodes whose clocks differ, a job that comes when it likes, and a stock relying party that fetches the JWKS
/// every twelve hours. Whatever happens, one key signs, and what was signed is accepted.
/// </summary>
public sealed class TimeTravelTests
{
    /// <summary>Days between two runs of the job: late, doubled, late again.</summary>
    private static readonly double[] Gaps = [1, 0, 3, 0.5, 7, 0, 0, 2, 12, 0.1];

    private static readonly TimeSpan Step = TimeSpan.FromHours(12);
    private static readonly TimeSpan LongestToken = TimeSpan.FromHours(12);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_years_of_rollovers_break_nobody()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        using var world = new World(server);
        var rollover = server.Services.GetRequiredService<KeyRollover>();

        // RSA keys take their time to make: they roll over, but not as often.
        foreach (var algorithm in new[] { "RS256", "PS256" })
        {
            Assert.IsType<KeyOutcome.Done>(await rollover.PlanAsync(algorithm, TimeSpan.FromDays(700), null, "UTC", false, "test", Ct));
        }

        var start = server.Clock.GetUtcNow();
        var (nextRun, run) = (start, 0);
        var runs = 0;
        for (var now = start; now < start.AddDays(3653); now += Step)
        {
            server.Clock.SetUtcNow(now);
            var day = (now - start).TotalDays;

            // The clock of a machine is set back, and forward again; and for a year there is no job at all.
            if (day % 100 == 50)
            {
                server.Clock.Advance(TimeSpan.FromHours(day % 200 == 50 ? -1 : 1));
                world.Check(signs: false);
                server.Clock.SetUtcNow(now);
            }

            if (now >= nextRun && day is < 1500 or > 1865)
            {
                await rollover.RunAsync(Ct);
                await world.ReloadAsync(Ct);
                world.CheckErased();
                runs++;
                nextRun = now.AddDays(Gaps[run++ % Gaps.Length]);
            }

            world.Check(signs: true);
        }

        var keys = await server.Services.GetRequiredService<IKeyStore>().ListAsync(Ct);
        Assert.InRange(keys.Count(key => key.Algorithm == "ES256"), 35, 41);
        Assert.InRange(keys.Count(key => key.Algorithm == "RS256"), 5, 6);
        Assert.True(runs > 900, $"The job ran {runs} times.");
    }

    [Fact]
    public async Task A_rollover_is_announced_early_enough_and_no_earlier()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        var rollover = server.Services.GetRequiredService<KeyRollover>();
        var start = server.Clock.GetUtcNow();

        server.Clock.SetUtcNow(start.AddDays(89).AddMinutes(-1));
        Assert.Empty(await rollover.RunAsync(Ct));
        server.Clock.SetUtcNow(start.AddDays(89));
        Assert.Equal(4, (await rollover.RunAsync(Ct)).Count);
        Assert.Empty(await rollover.RunAsync(Ct));

        // The first keys were made within a moment of one another.
        var rows = await server.Services.GetRequiredService<IKeyStore>().LoadAsync(Ct);
        foreach (var pending in rows.Activations.Where(span => span.Predecessor.Length > 0))
        {
            Assert.Equal(start.AddDays(90), pending.EffectiveAt!.Value, TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    public async Task A_job_that_comes_a_year_late_keeps_the_whole_lead()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        server.Clock.Advance(TimeSpan.FromDays(455));

        await server.Services.GetRequiredService<KeyRollover>().RunAsync(Ct);

        var rows = await server.Services.GetRequiredService<IKeyStore>().LoadAsync(Ct);
        var timeline = rows.TimelineOf("ES256", new KeyPolicy());
        Assert.Equal(server.Clock.GetUtcNow().AddHours(24), timeline.PendingAt(server.Clock.GetUtcNow())?.At);
    }

    [Fact]
    public async Task A_cancelled_rollover_is_left_out_and_the_next_one_comes()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        var rollover = server.Services.GetRequiredService<KeyRollover>();
        var start = server.Clock.GetUtcNow();
        server.Clock.SetUtcNow(start.AddDays(89.5));
        await rollover.RunAsync(Ct);

        Assert.IsType<KeyOutcome.Done>(await rollover.CancelAsync("ES256", "test", Ct));

        await rollover.RunAsync(Ct);
        Assert.Null(await PendingAsync());
        server.Clock.SetUtcNow(start.AddDays(179));
        await rollover.RunAsync(Ct);
        Assert.Equal(start.AddDays(180), (await PendingAsync())!.At, TimeSpan.FromMinutes(1));

        async Task<KeyActivation?> PendingAsync() => (await server.Services.GetRequiredService<IKeyStore>().LoadAsync(Ct))
            .TimelineOf("ES256", new KeyPolicy()).PendingAt(server.Clock.GetUtcNow());
    }

    /// <summary>Two nodes and a relying party, and what they know of tokens.</summary>
    private sealed class World(ServerFixture server) : IDisposable
    {
        private readonly SigningKeyRing _node = server.Services.GetRequiredService<SigningKeyRing>();
        private readonly SigningKeyRing _behind = new(
            server.Services.GetRequiredService<IKeyStore>(),
            server.Services.GetRequiredService<KeyFactory>(),
            server.Services.GetRequiredService<KeyPolicy>(),
            new Behind(server.Clock, TimeSpan.FromSeconds(2)));

        private readonly Queue<(DateTimeOffset ExpiresAt, string Kid)> _tokens = new();
        private (DateTimeOffset At, HashSet<string> Kids)? _cached;

        public void Dispose() => _behind.Dispose();

        public async Task ReloadAsync(CancellationToken ct)
        {
            await _node.ReloadAsync(ct);
            await _behind.ReloadAsync(ct);
        }

        /// <summary>One active key for each algorithm; every living token verifies at both nodes, and at who fetched twelve hours ago.</summary>
        public void Check(bool signs)
        {
            var now = server.Clock.GetUtcNow();
            if (_behind.Rows.Keys.Count == 0)
            {
                _behind.ReloadAsync(Ct).AsTask().GetAwaiter().GetResult();
            }

            var rows = _node.Rows;
            foreach (var algorithm in KeyFactory.Algorithms)
            {
                var timeline = rows.TimelineOf(algorithm, new KeyPolicy());
                Assert.Single(rows.Keys, key => key.Algorithm == algorithm && timeline.StateOf(key, now) == KeyState.Active);
                Assert.Contains(algorithm, _node.Current.Signing.Keys);
                Assert.Contains(algorithm, _behind.Current.Signing.Keys);
            }

            if (!signs)
            {
                return;
            }

            if (_cached is not { } cached || now - cached.At >= TimeSpan.FromHours(12))
            {
                _cached = (now, [.. _node.Current.Published.Keys]);
            }

            foreach (var credentials in _node.Current.Signing.Values.Concat(_behind.Current.Signing.Values))
            {
                _tokens.Enqueue((now + LongestToken, credentials.Key.KeyId));
                Assert.Contains(credentials.Key.KeyId, _cached.Value.Kids);
            }

            while (_tokens.TryPeek(out var oldest) && oldest.ExpiresAt <= now)
            {
                _tokens.Dequeue();
            }

            Assert.All(_tokens, token =>
            {
                Assert.Contains(token.Kid, _node.Current.Published.Keys);
                Assert.Contains(token.Kid, _behind.Current.Published.Keys);
            });
        }

        /// <summary>After the job, no private key is left beyond its margin, and none was erased that may sign.</summary>
        public void CheckErased()
        {
            var now = server.Clock.GetUtcNow();
            foreach (var entry in KeyEntry.List(_node.Rows, new KeyPolicy(), now))
            {
                var isOver = entry.State == KeyState.Retired && entry.RetiresAt + new KeyPolicy().ErasureMargin <= now;
                Assert.Equal(isOver, entry.Key.SealedPrivateKey is null);
            }
        }
    }

    private sealed class Behind(TimeProvider clock, TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() - by;
    }
}
