using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdentityServer.ResourceServer;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.ProtocolTests.ResourceServer;

/// <summary>Which JWTs an API with the package accepts, and what it asks the server for to find out.</summary>
public sealed class JwtTests : IAsyncLifetime
{
    private readonly MutableClock _clock = new();
    private StubIssuer _issuer = null!;
    private ApiHost _api = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = new StubIssuer(_clock);
        _api = await StartAsync(_issuer);
    }

    public ValueTask DisposeAsync() => _api.DisposeAsync();

    [Fact]
    public async Task A_token_of_the_issuer_for_this_API_is_accepted_and_its_claims_keep_their_names()
    {
        var answer = await _api.CallAsync(_issuer.Issue(), Ct);

        Assert.Equal((HttpStatusCode.OK, "alice"), (answer.Status, answer.Text));
        Assert.Equal(HttpStatusCode.OK, (await _api.CallAsync(_issuer.Issue(change: ("aud", new JsonArray("other", "orders-api"))), Ct)).Status);
        Assert.Equal(HealthStatus.Healthy, await _api.HealthAsync(Ct));
    }

    [Fact]
    public async Task Nothing_sent_is_answered_with_what_is_needed()
    {
        var answer = await _api.CallAsync(null, Ct);

        Assert.Equal((HttpStatusCode.Unauthorized, "Bearer"), (answer.Status, answer.Challenge));
    }

    [Fact]
    public async Task A_good_token_without_the_scope_is_told_which_one()
    {
        var answer = await _api.CallAsync(_issuer.Issue(), Ct, "/write");

        Assert.Equal((HttpStatusCode.Forbidden, "Bearer error=\"insufficient_scope\", scope=\"orders.write\""), (answer.Status, answer.Challenge));
        Assert.Equal(HttpStatusCode.OK, (await _api.CallAsync(_issuer.Issue(change: ("scope", "orders.write")), Ct, "/write")).Status);
    }

    [Fact]
    public async Task What_can_be_seen_without_a_key_is_refused_without_asking_for_one()
    {
        await _api.CallAsync(_issuer.Issue(), Ct);
        var asked = _api.Wire.CountOf(StubIssuer.JwksPath);
        var foreign = _issuer.AddKey(isPublished: false);
        using var rsa = RSA.Create(2048);
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        string[] tokens =
        [
            _issuer.Issue(foreign, type: "JWT"),
            _issuer.Issue(foreign, type: "id+jwt"),
            _issuer.Issue(new SymmetricSecurityKey(new byte[32]) { KeyId = "k" }, algorithm: "HS256"),
            _issuer.Issue(new RsaSecurityKey(rsa) { KeyId = "k" }, algorithm: "PS256"),
            _issuer.Issue(foreign, change: ("iss", "https://other.example")),
            _issuer.Issue(foreign, change: ("aud", "other-api")),
            _issuer.Issue(foreign, change: ("exp", now - 5)),
            _issuer.Issue(foreign, change: ("nbf", now + 6)),
            .. new[] { "exp", "iat", "sub", "jti", "client_id", "iss", "aud" }.Select(claim => _issuer.Issue(foreign, change: (claim, null))),
            _issuer.Issue(foreign, change: ("exp", "soon")),
            _issuer.Issue(foreign, change: ("nbf", "soon")),
            _issuer.Issue(foreign, change: ("aud", 5)),
            _issuer.Issue(foreign, change: ("iss", new JsonObject())),
            "a.b.c",
            "..",
            new string('.', 20_000),
        ];

        foreach (var token in tokens)
        {
            var answer = await _api.CallAsync(token, Ct);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
            Assert.StartsWith("Bearer error=\"invalid_token\"", answer.Challenge, StringComparison.Ordinal);
        }

        Assert.Equal(asked, _api.Wire.CountOf(StubIssuer.JwksPath));
    }

    [Fact]
    public async Task A_token_with_a_changed_payload_or_another_key_under_a_known_name_is_refused()
    {
        var parts = _issuer.Issue().Split('.');
        var other = _issuer.Issue(change: ("sub", "mallory")).Split('.');
        using var imposter = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var forged = _issuer.Issue(new ECDsaSecurityKey(imposter) { KeyId = _issuer.Key.KeyId });

        Assert.Equal(HttpStatusCode.Unauthorized, (await _api.CallAsync($"{parts[0]}.{other[1]}.{parts[2]}", Ct)).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await _api.CallAsync(forged, Ct)).Status);
    }

    [Fact]
    public async Task A_token_lives_to_its_end_and_a_clock_apart_longer()
    {
        var token = _issuer.Issue();

        _clock.Advance(TimeSpan.FromSeconds(604));
        Assert.Equal(HttpStatusCode.OK, (await _api.CallAsync(token, Ct)).Status);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.Unauthorized, (await _api.CallAsync(token, Ct)).Status);
    }

    [Fact]
    public async Task A_key_that_signs_without_any_lead_fails_no_request()
    {
        await _api.CallAsync(_issuer.Issue(), Ct);
        var tokens = Enumerable.Range(0, 20).Select(_ => _issuer.AddKey()).ToArray().Select(key => _issuer.Issue(key)).ToArray();

        var answers = await Task.WhenAll(tokens.Select(token => _api.CallAsync(token, Ct)));

        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
    }

    [Fact]
    public async Task Five_hundred_made_up_keys_cause_no_storm_and_a_real_one_among_them_is_found()
    {
        await _api.CallAsync(_issuer.Issue(), Ct);
        var before = _api.Wire.CountOf(StubIssuer.JwksPath);
        var began = TimeProvider.System.GetTimestamp();
        var forged = Enumerable.Range(0, 500).Select(_ => _issuer.AddKey(isPublished: false)).Select(key => _issuer.Issue(key)).ToArray();

        var storm = Task.WhenAll(forged.Select(token => _api.CallAsync(token, Ct)));
        var real = await _api.CallAsync(_issuer.Issue(_issuer.AddKey()), Ct);
        var answers = await storm;

        Assert.Equal(HttpStatusCode.OK, real.Status);
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.Status));

        // One a second, however fast or slow this machine is.
        var most = 2 + TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        Assert.InRange(_api.Wire.CountOf(StubIssuer.JwksPath) - before, 1, most);
    }

    [Fact]
    public async Task While_the_issuer_is_away_known_keys_serve_and_nobody_is_told_that_an_unknown_one_is_wrong()
    {
        var known = _issuer.Issue();
        await _api.CallAsync(known, Ct);
        _api.Wire.IsCut = true;

        Assert.Equal(HttpStatusCode.OK, (await _api.CallAsync(known, Ct)).Status);
        var unknown = await _api.CallAsync(_issuer.Issue(_issuer.AddKey()), Ct);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (unknown.Status, unknown.RetryAfter));
    }

    [Fact]
    public async Task Keys_are_fetched_again_before_anybody_needs_them()
    {
        await _api.CallAsync(_issuer.Issue(), Ct);
        var key = _issuer.AddKey();
        var before = _api.Wire.CountOf(StubIssuer.JwksPath);

        _clock.Advance(TimeSpan.FromMinutes(5));
        while (_api.Wire.CountOf(StubIssuer.JwksPath) == before)
        {
            await Task.Yield();
        }

        _api.Wire.IsCut = true;
        ApiAnswer answer;
        do
        {
            // The answer to the fetch may still be on its way.
            answer = await _api.CallAsync(_issuer.Issue(key), Ct);
        }
        while (answer.Status == HttpStatusCode.ServiceUnavailable);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
    }

    [Fact]
    public async Task A_bound_token_is_refused_unless_every_binding_is_confirmed()
    {
        var bound = _issuer.Issue(change: ("cnf", new JsonObject { ["jkt"] = "the-key" }));
        var twice = _issuer.Issue(change: ("cnf", new JsonObject { ["jkt"] = "the-key", ["x5t#S256"] = "a-certificate" }));
        var empty = _issuer.Issue(change: ("cnf", new JsonObject()));
        await using var api = await StartAsync(_issuer, services => services.AddSingleton<ITokenBinding, KnownKey>());

        foreach (var token in new[] { bound, twice, empty })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await _api.CallAsync(token, Ct)).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, (await _api.CallAsync(token, Ct, scheme: "DPoP")).Status);
            Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(token, Ct)).Status);
        }

        Assert.Equal(HttpStatusCode.OK, (await api.CallAsync(bound, Ct, scheme: "DPoP")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(twice, Ct, scheme: "DPoP")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(empty, Ct, scheme: "DPoP")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.CallAsync(_issuer.Issue(), Ct, scheme: "DPoP")).Status);
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await api.CallAsync(_issuer.Issue(change: ("cnf", new JsonObject { ["jkt"] = "another-key" })), Ct, scheme: "DPoP")).Status);
    }

    [Theory]
    [InlineData("http://issuer.example", "orders-api", false)]
    [InlineData("issuer.example", "orders-api", false)]
    [InlineData("https://issuer.example", "", false)]
    [InlineData("https://issuer.example", "orders-api", true)]
    public void Wrong_options_are_named_before_the_first_request(string issuer, string audience, bool follow)
    {
        var options = new IdentityServerTokensOptions { FollowRevocations = follow };
        typeof(IdentityServerTokensOptions).GetProperty(nameof(options.Issuer))!.SetValue(options, issuer);
        typeof(IdentityServerTokensOptions).GetProperty(nameof(options.Audience))!.SetValue(options, audience);

        Assert.Throws<InvalidOperationException>(options.Validate);
    }

    private Task<ApiHost> StartAsync(StubIssuer issuer, Action<IServiceCollection>? services = null) => ApiHost.StartAsync(
        StubIssuer.Issuer, "orders-api", _clock, options => options.FollowRevocations = false, Ct, issuer, services);

    private sealed class KnownKey : ITokenBinding
    {
        public string Confirmation => "jkt";

        public string AuthorizationScheme => "DPoP";

        public ValueTask<bool> IsConfirmedAsync(HttpContext http, string token, JsonElement expected, CancellationToken ct) =>
            ValueTask.FromResult(expected.GetString() == "the-key");
    }
}
