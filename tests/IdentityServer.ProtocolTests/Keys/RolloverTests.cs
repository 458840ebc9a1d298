using System.Diagnostics.Metrics;
using System.Net;
using System.Text.Json.Nodes;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Keys;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>Rollovers, undo and compromise, seen from outside.</summary>
public sealed class RolloverTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_old_key_signed_is_accepted_for_as_long_as_it_lives_and_the_new_key_signs()
    {
        await using var world = await World.StartAsync();
        var before = await world.TokenAsync();
        await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(25), false, "test", Ct));

        Assert.Equal(5, (await world.JwksAsync()).Count);
        Assert.Equal(before.Kid, (await world.TokenAsync()).Kid);

        world.Server.Clock.Advance(TimeSpan.FromHours(25));
        var last = await world.TokenAsync();
        Assert.NotEqual(before.Kid, last.Kid);
        Assert.Contains(last.Kid, await world.JwksAsync());
        Assert.Contains(before.Kid, await world.JwksAsync());

        world.Server.Clock.Advance(TimeSpan.FromHours(24));
        Assert.DoesNotContain(before.Kid, await world.JwksAsync());
    }

    [Fact]
    public async Task An_undo_brings_the_earlier_key_back_and_loses_no_token()
    {
        await using var world = await World.StartAsync();
        var first = await world.TokenAsync();
        await world.RollOverAsync();
        var second = await world.TokenAsync();

        await world.DoneAsync(rollover => rollover.UndoAsync("ES256", "test", Ct));

        var third = await world.TokenAsync();
        Assert.Equal(first.Kid, third.Kid);
        Assert.True((await world.App.IntrospectAsync(second.Text, Ct)).IsActive);
        Assert.Contains(second.Kid, await world.JwksAsync());

        // And forward again: the later key is the one that signed before now.
        await world.DoneAsync(rollover => rollover.UndoAsync("ES256", "test", Ct));
        Assert.Equal(second.Kid, (await world.TokenAsync()).Kid);
        Assert.Contains("key.undone", await world.AuditTypesAsync());
    }

    [Fact]
    public async Task An_undo_before_an_announced_rollover_leaves_it_standing()
    {
        await using var world = await World.StartAsync();
        var first = await world.TokenAsync();
        await world.RollOverAsync();
        await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(30), false, "test", Ct));

        await world.DoneAsync(rollover => rollover.UndoAsync("ES256", "test", Ct));
        Assert.Equal(first.Kid, (await world.TokenAsync()).Kid);

        world.Server.Clock.Advance(TimeSpan.FromHours(30));
        var third = await world.TokenAsync();
        Assert.NotEqual(first.Kid, third.Kid);
        Assert.Equal(3, (await world.KeysAsync()).Count(key => key.Algorithm == "ES256"));
    }

    [Fact]
    public async Task There_is_nothing_to_undo_at_first_nor_once_the_earlier_key_is_gone()
    {
        await using var world = await World.StartAsync();
        Assert.Equal("nothing_to_undo", await world.RefusedAsync(rollover => rollover.UndoAsync("ES256", "test", Ct)));
        await world.RollOverAsync();
        world.Server.Clock.Advance(TimeSpan.FromHours(24));

        Assert.Equal("nothing_to_undo", await world.RefusedAsync(rollover => rollover.UndoAsync("ES256", "test", Ct)));
    }

    [Fact]
    public async Task Everything_a_compromised_key_signed_is_dead_at_once_and_refresh_tokens_live()
    {
        await using var world = await World.StartAsync();
        var browser = new Browser(world.Server.Http);
        var tokens = await world.App.ExchangeAsync(
            await world.App.AuthorizeAsync(browser, world.App.Attempt("openid offline_access"), world.Alice, Ct), Ct);
        var access = Jwt.Parse(tokens.AccessToken!);
        Assert.True((await world.App.IntrospectAsync(access.Text, Ct)).IsActive);

        await world.DoneAsync(rollover => rollover.CompromiseAsync(access.Kid!, "stolen", "test", Ct));
        await world.DoneAsync(rollover => rollover.CompromiseAsync(tokens.IdToken!.Kid!, "stolen", "test", Ct));

        Assert.DoesNotContain(access.Kid, await world.JwksAsync());
        Assert.False((await world.App.IntrospectAsync(access.Text, Ct)).IsActive);
        Assert.Equal(401, (await world.App.UserInfoAsync(access.Text, Ct)).Status);
        var hinted = await world.App.AuthorizeAsync(
            browser, world.App.Attempt().With("prompt", "none").With("id_token_hint", tokens.IdToken!.Text), null, Ct);
        Assert.Null(hinted.Answer?.Code);

        // The session and the refresh token were not signed with it.
        Assert.NotNull((await world.App.AuthorizeAsync(browser, world.App.Attempt().With("prompt", "none"), null, Ct)).Code);
        var refreshed = await world.App.RefreshAsync(tokens.RefreshToken!, Ct);
        Assert.NotEqual(access.Kid, Jwt.Parse(refreshed.AccessToken!).Kid);
        Assert.True((await world.App.IntrospectAsync(refreshed.AccessToken!, Ct)).IsActive);
        var stolen = (await world.KeysAsync()).Single(key => key.Kid == access.Kid);
        Assert.Null(stolen.SealedPrivateKey);
        Assert.Equal("stolen", stolen.RevokedBecause);
    }

    [Fact]
    public async Task An_announced_successor_takes_over_from_a_compromised_key()
    {
        await using var world = await World.StartAsync();
        var stolen = await world.TokenAsync();
        var announced = await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(40), false, "test", Ct));

        await world.DoneAsync(rollover => rollover.CompromiseAsync(stolen.Kid!, "stolen", "test", Ct));

        Assert.Equal(announced.Key.Kid, (await world.TokenAsync()).Kid);
        Assert.Equal(2, (await world.KeysAsync()).Count(key => key.Algorithm == "ES256"));
        Assert.Equal("already_revoked", await world.RefusedAsync(rollover => rollover.CompromiseAsync(stolen.Kid!, "again", "test", Ct)));
    }

    [Fact]
    public async Task A_compromised_announced_key_never_signs_and_the_plan_goes_on()
    {
        await using var world = await World.StartAsync();
        var active = await world.TokenAsync();
        var announced = await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(40), false, "test", Ct));

        await world.DoneAsync(rollover => rollover.CompromiseAsync(announced.Key.Kid, "stolen", "test", Ct));

        Assert.DoesNotContain(announced.Key.Kid, await world.JwksAsync());
        world.Server.Clock.Advance(TimeSpan.FromHours(41));
        Assert.Equal(active.Kid, (await world.TokenAsync()).Kid);
        world.Server.Clock.Advance(TimeSpan.FromDays(89));
        await world.DoneRunAsync();
        Assert.Equal(2, (await world.JwksAsync()).Count(kid => kid!.StartsWith("es2", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_client_that_asked_for_it_holds_the_rollover_until_it_has_the_key()
    {
        await using var world = await World.StartAsync(client => client with { RequireReadiness = true });
        var before = await world.TokenAsync();
        Assert.Equal(HttpStatusCode.OK, (await world.Server.FetchAsync("/.well-known/jwks.json?client_id=app", Ct)).Status);
        var pending = await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(25), false, "test", Ct));
        Assert.True(pending.Activation!.AwaitsReadiness);

        // Its time comes, and it is not there.
        world.Server.Clock.Advance(TimeSpan.FromHours(30));
        await world.DoneRunAsync();
        Assert.Equal(before.Kid, (await world.TokenAsync()).Kid);
        Assert.Equal(Readiness.NotYet, (await world.ReadinessAsync(pending.Key.Kid)).State);
        Assert.Equal("not_ready", await world.RefusedAsync(rollover => rollover.ActivateAsync(pending.Key.Kid, false, "test", Ct)));

        // It fetches: at its own address, where the metadata leads it.
        var metadata = await world.Server.FetchAsync("/.well-known/openid-configuration?client_id=app", Ct);
        var address = (string)JsonNode.Parse(metadata.Text)!["jwks_uri"]!;
        Assert.Equal(HttpStatusCode.OK, (await new Browser(world.Server.Http).OpenAsync(new Uri(address), Ct)).Status);
        await world.DoneRunAsync();

        Assert.Equal(Readiness.HasIt, (await world.ReadinessAsync(pending.Key.Kid)).State);
        Assert.Equal(pending.Key.Kid, (await world.TokenAsync()).Kid);
        Assert.Contains("key.released", await world.AuditTypesAsync());
    }

    [Fact]
    public async Task A_hold_is_overridden_by_force_and_the_audit_log_says_so()
    {
        await using var world = await World.StartAsync(client => client with { RequireReadiness = true });
        var pending = await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(25), false, "test", Ct));
        Assert.Equal(Readiness.Unknown, (await world.ReadinessAsync(pending.Key.Kid)).State);

        await world.DoneAsync(rollover => rollover.ActivateAsync(pending.Key.Kid, force: true, "test", Ct));

        Assert.Equal(pending.Key.Kid, (await world.TokenAsync()).Kid);
        var audit = (await world.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(20, Ct)).First(audit => audit.Type == "key.activated");
        Assert.EndsWith(", forced", audit.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_forced_rollover_waits_for_nobody_however_often_the_job_runs(bool moved)
    {
        await using var world = await World.StartAsync(client => client with { RequireReadiness = true });
        var forced = moved
            ? await ScheduleAndMoveAsync()
            : await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(1), force: true, "test", Ct));
        await world.DoneRunAsync();
        await world.DoneRunAsync();

        world.Server.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(forced.Key.Kid, (await world.TokenAsync()).Kid);

        async Task<KeyOutcome.Done> ScheduleAndMoveAsync()
        {
            await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", world.Now.AddHours(25), force: false, "test", Ct));
            return await world.DoneAsync(rollover => rollover.MoveAsync("ES256", world.Now.AddHours(1), force: true, "test", Ct));
        }
    }

    [Fact]
    public async Task Ending_every_session_ends_sign_on_and_refresh_tokens_too()
    {
        await using var world = await World.StartAsync();
        var browser = new Browser(world.Server.Http);
        var tokens = await world.App.ExchangeAsync(
            await world.App.AuthorizeAsync(browser, world.App.Attempt("openid offline_access"), world.Alice, Ct), Ct);
        var bound = await world.App.SignInAsync(world.Alice, "openid", Ct);

        var receipt = await world.Server.Services.GetRequiredService<Protocol.Revocations.Revoker>().EndEverythingAsync(
            new Protocol.Revocations.Cause("key_compromised", "test", null), Ct);

        Assert.Equal(
            new Protocol.Revocations.Died(2, 2, 2),
            await world.Server.Services.GetRequiredService<Protocol.Revocations.IReceiptStore>().CountAsync(receipt, Ct));
        Assert.Equal("login_required", (await world.App.AuthorizeAsync(browser, world.App.Attempt().With("prompt", "none"), null, Ct)).Answered.Error);
        Assert.Equal("invalid_grant", (await world.App.RefreshAsync(tokens.RefreshToken!, Ct)).Error);
        Assert.False((await world.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        Assert.False((await world.App.IntrospectAsync(bound.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task What_signs_and_the_key_set_are_prepared_once_however_many_keys_there_are()
    {
        await using var world = await World.StartAsync();
        var ring = world.Server.Services.GetRequiredService<SigningKeyRing>();
        for (var i = 0; i < 5; i++)
        {
            await world.RollOverAsync();
        }

        var before = ring.Current;
        await world.TokenAsync();
        await world.JwksAsync();
        Assert.Same(before, ring.Current);
    }

    [Fact]
    public async Task An_address_of_a_client_that_is_not_there_is_refused()
    {
        await using var world = await World.StartAsync();
        foreach (var path in new[] { "jwks.json", "openid-configuration", "oauth-authorization-server" })
        {
            var page = await world.Server.FetchAsync($"/.well-known/{path}?client_id=nobody", Ct);
            Assert.Equal(HttpStatusCode.BadRequest, page.Status);
            Assert.Contains("no such client", page.Text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_lead_follows_the_slowest_cache_and_says_whose_it_is()
    {
        await using var world = await World.StartAsync(client => client with { KeyCacheLifetime = TimeSpan.FromHours(48) });

        var refused = await world.Server.Services.GetRequiredService<KeyRollover>()
            .ScheduleAsync("ES256", world.Now.AddHours(49), false, "test", Ct);

        var reason = Assert.IsType<KeyOutcome.Refused>(refused);
        Assert.Equal(("too_early", world.Now.AddHours(49).AddMinutes(5)), (reason.Code, reason.Earliest));
        Assert.Contains("the client app may keep a key set for 48 h", reason.Message, StringComparison.Ordinal);
        await world.DoneAsync(rollover => rollover.ScheduleAsync("ES256", reason.Earliest!.Value, false, "test", Ct));
    }

    [Fact]
    public async Task Tokens_are_counted_by_key_and_client_until_they_are_over()
    {
        await using var world = await World.StartAsync();
        var token = await world.TokenAsync();
        await world.TokenAsync();
        var store = world.Server.Services.GetRequiredService<IKeyUseStore>();
        await world.Server.Services.GetRequiredService<KeyUseLedger>().FlushAsync(Ct);

        var depends = BlastRadius.Of(token.Kid!, await store.ListAsync(world.Now, Ct));
        Assert.Equal([("app", 2L)], depends.ByClient.Select(use => (use.ClientId, use.Tokens)));
        Assert.InRange(depends.LastEnd!.Value, world.Now.AddMinutes(10), world.Now.AddMinutes(20));
        Assert.Empty(BlastRadius.Of(token.Kid!, await store.ListAsync(world.Now.AddMinutes(20), Ct)).ByClient);
    }

    [Fact]
    public async Task Monitoring_sees_ages_the_next_activation_and_tokens_of_unknown_keys()
    {
        await using var world = await World.StartAsync();
        await world.DoneAsync(rollover => rollover.ScheduleAsync("ES384", world.Now.AddHours(25), false, "test", Ct));
        world.Server.Clock.Advance(TimeSpan.FromHours(1));
        var seen = new System.Collections.Concurrent.ConcurrentBag<(string Name, double Value, string Tags)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "IdentityServer")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();

        listener.RecordObservableInstruments();
        var foreign = Jwt.Sign(
            new JsonObject { ["alg"] = "ES256", ["typ"] = "at+jwt", ["kid"] = "es2-elsewhere" }, [], _ => new byte[64]);
        Assert.False((await world.App.IntrospectAsync(foreign, Ct)).IsActive);

        Assert.Contains(seen, entry => entry is { Name: "identity_signing_key_next_activation_seconds", Value: 86_400, Tags: "alg=ES384" });
        Assert.Contains(seen, entry => entry is { Name: "identity_signing_key_age_seconds", Value: 3600, Tags: "alg=ES384 state=announced" });
        Assert.Contains(seen, entry => entry is { Name: "identity_unknown_kid_total" });

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            seen.Add((instrument.Name, value, string.Join(' ', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"))));
    }

    [Theory]
    [InlineData("PS256")]
    [InlineData("ES384")]
    [InlineData("ES256")]
    public async Task An_ID_token_is_signed_as_the_client_asked(string algorithm)
    {
        await using var world = await World.StartAsync(client => client with { IdTokenSigningAlgorithm = algorithm });
        var tokens = await world.App.SignInAsync(world.Alice, "openid", Ct);

        Assert.Equal(algorithm, tokens.IdToken!.Algorithm);
        tokens.IdToken.Verify(world.Server.Provider.Jwks);
        Assert.Equal(tokens.IdToken.HalfHashOf(tokens.AccessToken!), tokens.IdToken["at_hash"]);
    }

    /// <summary>A server with an app that takes tokens for itself, and one person.</summary>
    private sealed class World(ServerFixture server, RelyingParty app, Person alice) : IAsyncDisposable
    {
        public ServerFixture Server => server;

        public RelyingParty App => app;

        public Person Alice => alice;

        public DateTimeOffset Now => server.Clock.GetUtcNow();

        public static async Task<World> StartAsync(Func<Protocol.Clients.Client, Protocol.Clients.Client>? change = null)
        {
            var server = await ServerFixture.StartAsync(Ct);
            var app = await server.AddWebAppAsync(
                "app", Ct, client => (change?.Invoke(client) ?? client) with { RequireConsent = false, AccessTokenLifetime = TimeSpan.FromMinutes(10) });
            return new World(server, app, await server.AddPersonAsync("alice", Ct));
        }

        public ValueTask DisposeAsync() => server.DisposeAsync();

        public async Task<Jwt> TokenAsync() => Jwt.Parse((await app.ClientCredentialsAsync(null, Ct)).AccessToken!);

        public async Task<IReadOnlyList<string?>> JwksAsync() =>
        [
            .. JsonNode.Parse((await server.FetchAsync(Endpoints.Jwks, Ct)).Text)!["keys"]!.AsArray().Select(key => (string?)key!["kid"]),
        ];

        public ValueTask<IReadOnlyList<SigningKey>> KeysAsync() => server.Services.GetRequiredService<IKeyStore>().ListAsync(Ct);

        public async Task<ClientReadiness> ReadinessAsync(string kid)
        {
            await server.Services.GetRequiredService<KeyFetchLedger>().FlushAsync(Ct);
            return (await server.Services.GetRequiredService<KeyReadiness>().OfAsync(kid, Ct)).Single(entry => entry.Client.Id == "app");
        }

        public async Task<IEnumerable<string>> AuditTypesAsync() =>
            (await server.Services.GetRequiredService<IAuditLog>().LatestAsync(50, Ct)).Select(audit => audit.Type);

        public async Task<KeyOutcome.Done> DoneAsync(Func<KeyRollover, Task<KeyOutcome>> deed)
        {
            var outcome = await deed(server.Services.GetRequiredService<KeyRollover>());
            await server.Services.GetRequiredService<Protocol.Changes.ChangeFeed>().PollAsync(Ct);
            return Assert.IsType<KeyOutcome.Done>(outcome);
        }

        public async Task DoneRunAsync()
        {
            await server.Services.GetRequiredService<KeyFetchLedger>().FlushAsync(Ct);
            await server.Services.GetRequiredService<KeyRollover>().RunAsync(Ct);
            await server.Services.GetRequiredService<Protocol.Changes.ChangeFeed>().PollAsync(Ct);
        }

        public async Task<string> RefusedAsync(Func<KeyRollover, Task<KeyOutcome>> deed)
        {
            var before = await server.Services.GetRequiredService<IKeyStore>().LoadAsync(Ct);
            var refused = Assert.IsType<KeyOutcome.Refused>(await deed(server.Services.GetRequiredService<KeyRollover>()));
            Assert.Equivalent(before, await server.Services.GetRequiredService<IKeyStore>().LoadAsync(Ct), strict: true);
            return refused.Code;
        }

        public async Task RollOverAsync()
        {
            await DoneAsync(rollover => rollover.ScheduleAsync("ES256", Now.AddHours(25), false, "test", Ct));
            server.Clock.Advance(TimeSpan.FromHours(25));
        }
    }
}
