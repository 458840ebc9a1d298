using System.Diagnostics.Metrics;
using System.Net;
using IdentityServer.Protocol.Revocations;
using IdentityServer.ProtocolTests.RevocationFeed;
using IdentityServer.ResourceServer;
using IdentityServer.ResourceServer.Revocations;
using IdentityServer.Storage;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace IdentityServer.ProtocolTests.ResourceServer;

/// <summary>An API that follows the feed refuses what the server ended, and knows when it cannot know.</summary>
public sealed class FollowingTests(FeedServer world) : IClassFixture<FeedServer>
{
    private const string Introspection = "/connect/introspect";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private MutableClock Clock => world.Server.Clock;

    [Fact]
    public async Task A_revoked_token_is_refused_and_another_of_the_same_client_is_not()
    {
        await using var api = await StartAsync();
        var (revoked, other) = (await ServiceTokenAsync(), await ServiceTokenAsync());
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(revoked, Ct)).Status);

        await world.Service.RevokeAsync(revoked, Ct);
        await UntilAsync(api, revoked, HttpStatusCode.Unauthorized);

        Assert.StartsWith("Bearer error=\"invalid_token\"", (await api.CallAsync(revoked, Ct)).Challenge, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(other, Ct)).Status);
    }

    [Fact]
    public async Task The_end_of_a_grant_ends_its_tokens_and_nobody_elses()
    {
        await using var api = await StartAsync();
        var alice = await world.App.SignInAsync(world.Alice, "openid offline_access orders.read", Ct);
        var bob = await world.App.SignInAsync(world.Bob, "openid offline_access orders.read", Ct);

        await world.App.RevokeAsync(alice.RefreshToken!, Ct);
        await UntilAsync(api, alice.AccessToken!, HttpStatusCode.Unauthorized);

        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(bob.AccessToken, Ct)).Status);
    }

    [Fact]
    public async Task The_end_of_a_session_ends_the_tokens_bound_to_it()
    {
        await using var api = await StartAsync();
        var bound = await world.App.SignInAsync(world.Alice, "openid orders.read", Ct);
        var offline = await world.App.SignInAsync(world.Alice, "openid offline_access orders.read", Ct);
        var claims = Jwt.Parse(bound.AccessToken!).Claims;

        await world.Revoker.EndSessionAsync((string)claims["sid"]!, (string)claims["sub"]!, alsoOffline: false, new Cause("test", "test", null), Ct);
        await UntilAsync(api, bound.AccessToken!, HttpStatusCode.Unauthorized);

        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(offline.AccessToken, Ct)).Status);
    }

    [Fact]
    public async Task All_that_a_person_had_ends_but_for_the_session_that_goes_on_and_what_comes_after_lives()
    {
        await using var api = await StartAsync();
        var spared = await world.App.SignInAsync(world.Alice, "openid orders.read", Ct);
        var ended = await world.App.SignInAsync(world.Alice, "openid orders.read", Ct);
        var bob = await world.App.SignInAsync(world.Bob, "openid orders.read", Ct);
        var claims = Jwt.Parse(spared.AccessToken!).Claims;

        await world.Revoker.EndPersonAsync((string)claims["sub"]!, (string)claims["sid"]!, change: null, new Cause("test", "test", null), Ct);
        await UntilAsync(api, ended.AccessToken!, HttpStatusCode.Unauthorized);
        var after = await world.App.SignInAsync(world.Alice, "openid orders.read", Ct);

        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(spared.AccessToken, Ct)).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(bob.AccessToken, Ct)).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(after.AccessToken, Ct)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_that_a_client_or_everybody_had_ends_be_it_a_JWT_or_a_reference_and_what_comes_after_lives(bool everything)
    {
        await using var api = await StartAsync();
        var before = (await world.ReferenceService.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;
        var other = await ServiceTokenAsync();
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(before, Ct)).Status);
        var cause = new Cause("test", "test", null);

        Assert.NotNull(everything
            ? await world.Revoker.EndEverythingAsync(cause, Ct)
            : await world.Revoker.EndClientAsync(world.ReferenceService.ClientId, change: null, cause, Ct));
        await UntilAsync(api, before, HttpStatusCode.Unauthorized);

        // Everything: the API's own token for the feed too; it comes back with another.
        var after = (await world.ReferenceService.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;
        await UntilAsync(api, after, HttpStatusCode.OK);
        await UntilAsync(api, await ServiceTokenAsync(), HttpStatusCode.OK);
        Assert.Equal(everything ? HttpStatusCode.Unauthorized : HttpStatusCode.OK, (await api.CallAsync(other, Ct)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(before, Ct)).Status);
    }

    [Fact]
    public async Task What_ended_before_the_API_started_is_known_from_its_first_request_on()
    {
        var revoked = await ServiceTokenAsync();
        await world.Service.RevokeAsync(revoked, Ct);

        await using var api = await StartAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(revoked, Ct)).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(await ServiceTokenAsync(), Ct)).Status);
    }

    [Fact]
    public async Task With_the_feed_cut_for_half_a_minute_each_policy_holds_and_afterwards_nothing_was_missed()
    {
        await using var closed = await StartAsync();
        await using var open = await StartAsync(options => options.WhenFeedIsSilent = SilentFeed.AcceptUntilExpiry);
        var (good, known, missed) = (await ServiceTokenAsync(), await ServiceTokenAsync(), await ServiceTokenAsync());
        await world.Service.RevokeAsync(known, Ct);
        await UntilAsync(closed, known, HttpStatusCode.Unauthorized);
        await UntilAsync(open, known, HttpStatusCode.Unauthorized);

        // The server's node reads nothing, so it tells nothing; and nobody comes back to make it read.
        (closed.Wire.IsCut, open.Wire.IsCut) = (true, true);
        Clock.Advance(TimeSpan.FromSeconds(30));
        await world.EndTokenAsync((string)Jwt.Parse(missed).Claims["jti"]!);

        var refused = await closed.CallAsync(good, Ct);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1", ""), (refused.Status, refused.RetryAfter, refused.Challenge));
        Assert.Equal(HttpStatusCode.OK, (await open.CallAsync(good, Ct)).Status);
        Assert.Equal(HttpStatusCode.OK, (await open.CallAsync(missed, Ct)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await closed.CallAsync(known, Ct)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await open.CallAsync(known, Ct)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await closed.CallAsync(null, Ct)).Status);
        Assert.Equal((HealthStatus.Unhealthy, HealthStatus.Degraded), (await closed.HealthAsync(Ct), await open.HealthAsync(Ct)));

        (closed.Wire.IsCut, open.Wire.IsCut) = (false, false);
        await UntilAsync(closed, good, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, (await closed.CallAsync(missed, Ct)).Status);
        await UntilAsync(open, missed, HttpStatusCode.Unauthorized);
        Assert.Equal(HealthStatus.Healthy, await closed.HealthAsync(Ct));
    }

    [Fact]
    public async Task After_a_gap_that_the_log_does_not_reach_over_the_API_starts_over_from_a_snapshot()
    {
        await using var api = await StartAsync();
        await UntilAsync(api, await ServiceTokenAsync(), HttpStatusCode.OK);
        Assert.Equal(1, api.Wire.CountOf("/connect/revocations/snapshot"));

        Clock.Advance(TimeSpan.FromHours(21));
        var (good, revoked) = (await ServiceTokenAsync(), await ServiceTokenAsync());
        await world.Service.RevokeAsync(revoked, Ct);
        await using (var db = await world.Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            await db.Changes.ExecuteDeleteAsync(Ct);
        }

        await UntilAsync(api, good, HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(revoked, Ct)).Status);
        Assert.Equal(2, api.Wire.CountOf("/connect/revocations/snapshot"));
    }

    [Fact]
    public async Task Ten_thousand_revocations_over_a_wire_that_keeps_breaking_are_all_known()
    {
        const int Events = 10_000;
        await using var api = await StartAsync();
        api.Wire.BreaksWithin = 400_000;
        var ended = api.Services.GetRequiredService<EndedTokens>();
        var opened = api.Wire.CountOf("/connect/revocations");
        var keys = Enumerable.Range(0, Events).Select(i => $"broken-{i}").ToArray();

        // The stream that is open was not made to break: its silence ends it.
        Clock.Advance(TimeSpan.FromSeconds(11));
        foreach (var batch in keys.Chunk(500))
        {
            var first = await world.LatestAsync() + 1;
            await world.WriteAsync(batch.Select((key, i) => (first + i, key)));
            await world.PollAsync();
            Clock.Advance(TimeSpan.FromSeconds(2));
        }

        while (!Array.TrueForAll(keys, key => ended.Find(TokenOf(key)) == "token"))
        {
            await world.PollAsync();
            Clock.Advance(TimeSpan.FromMilliseconds(500));
        }

        Assert.True(api.Wire.CountOf("/connect/revocations") - opened > 2, "Nothing broke.");
        Assert.Equal(1, api.Wire.CountOf("/connect/revocations/snapshot"));
    }

    [Fact]
    public async Task A_reference_token_is_asked_about_once_and_falls_when_the_feed_says_so()
    {
        await using var api = await StartAsync();
        var token = (await world.ReferenceService.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;
        var other = (await world.ReferenceService.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;
        Assert.Equal((HttpStatusCode.OK, "reference-service"), await api.CallAsync(token, Ct) is var first ? (first.Status, first.Text) : default);
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(token, Ct)).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(other, Ct)).Status);
        Assert.Equal(2, api.Wire.CountOf(Introspection));

        await world.ReferenceService.RevokeAsync(token, Ct);
        await UntilAsync(api, token, HttpStatusCode.Unauthorized, TimeSpan.Zero);

        Assert.Equal(2, api.Wire.CountOf(Introspection));
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(other, Ct)).Status);
    }

    [Fact]
    public async Task While_the_feed_is_silent_every_reference_token_is_asked_about_each_time()
    {
        await using var api = await StartAsync();
        var token = (await world.ReferenceService.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;
        await api.CallAsync(token, Ct);
        Clock.Advance(TimeSpan.FromSeconds(11));

        await api.CallAsync(token, Ct);
        await api.CallAsync(token, Ct);

        Assert.Equal(3, api.Wire.CountOf(Introspection));
    }

    [Fact]
    public async Task A_reference_token_is_never_believed_past_its_end_nor_when_the_server_says_nothing()
    {
        await using var api = await StartAsync(options => options.IntrospectionCache = TimeSpan.FromHours(1));
        var token = (await world.ReferenceService.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;
        var unasked = (await world.ReferenceService.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;
        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(token, Ct)).Status);

        Clock.Advance(TimeSpan.FromMinutes(10));
        await world.PollAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(token, Ct)).Status);

        api.Wire.IsCut = true;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.CallAsync(unasked, Ct)).Status);
    }

    [Fact]
    public async Task What_cannot_be_a_reference_token_is_refused_without_a_question()
    {
        await using var api = await StartAsync();

        foreach (var token in new[] { "x", new string('a', 42), new string('a', 44), new string('a', 42) + "=", new string('a', 42) + "/" })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(token, Ct)).Status);
        }

        Assert.Equal(0, api.Wire.CountOf(Introspection));
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(new string('a', 43), Ct)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(new string('a', 43), Ct)).Status);
        Assert.Equal(1, api.Wire.CountOf(Introspection));
    }

    [Fact]
    public async Task Revoked_tokens_that_are_presented_are_counted_and_the_lag_is_measured()
    {
        await using var api = await StartAsync();
        var factory = api.Services.GetRequiredService<IMeterFactory>();
        var (presented, lags, fetches) = (new List<string?>(), new List<double>(), 0L);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == factory)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Name == "identity_api_revoked_presented_total")
            {
                presented.Add((string?)tags[0].Value);
            }
            else if (instrument.Name == "identity_api_jwks_refreshes_total")
            {
                fetches += value;
            }
        });
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            if (instrument.Name == "identity_api_feed_lag_seconds")
            {
                lags.Add(value);
            }
        });
        listener.Start();

        var token = await ServiceTokenAsync();
        await world.Service.RevokeAsync(token, Ct);
        Clock.Advance(TimeSpan.FromSeconds(1));
        await UntilAsync(api, token, HttpStatusCode.Unauthorized, TimeSpan.Zero);
        await api.Services.GetRequiredService<IdentityServer.ResourceServer.Keys.SigningKeys>().RefreshAsync(Ct);

        Assert.Equal(["token"], presented);
        Assert.Equal([1.0], lags);
        Assert.Equal(1, fetches);
    }

    private async Task<ApiHost> StartAsync(Action<IdentityServerTokensOptions>? configure = null)
    {
        // The wait for the first heartbeat ends with it; the limit is for a machine under load.
        await world.PollAsync();
        return await ApiHost.StartAsync(world.Server.Provider.Issuer, FeedServer.Audience, Clock, options =>
        {
            options.ClientId = world.Api.ClientId;
            options.ClientSecret = world.Api.Secret;
            options.StartupWait = TimeSpan.FromSeconds(60);
            configure?.Invoke(options);
        }, Ct);
    }

    private async Task<string> ServiceTokenAsync() => (await world.Service.ClientCredentialsAsync("orders.read", Ct)).AccessToken!;

    /// <summary>Calls until it is answered so, while the server reads its log and time goes by.</summary>
    private async Task UntilAsync(ApiHost api, string token, HttpStatusCode status, TimeSpan? step = null)
    {
        while (true)
        {
            await world.PollAsync();
            if ((await api.CallAsync(token, Ct)).Status == status)
            {
                return;
            }

            Clock.Advance(step ?? TimeSpan.FromMilliseconds(500));
        }
    }

    private IdentityServer.ResourceServer.Tokens.AccessToken TokenOf(string id) => new()
    {
        Id = id,
        Subject = "s",
        ClientId = "c",
        ExpiresAt = Clock.GetUtcNow(),
        Identity = new(),
    };
}
