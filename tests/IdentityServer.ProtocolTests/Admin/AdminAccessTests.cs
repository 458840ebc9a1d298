using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Admin;

/// <summary>Who may use the admin API, and what anybody may send to it.</summary>
public sealed class AdminAccessTests(AdminServer admin) : IClassFixture<AdminServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> Routes => new()
    {
        { "GET", "/keys" },
        { "GET", "/keys/plans" },
        { "GET", "/keys/preflight?alg=ES256" },
        { "GET", "/keys/some-kid" },
        { "GET", "/keys/some-kid/compromise" },
        { "POST", "/keys/ES256/schedule" },
        { "POST", "/keys/ES256/move" },
        { "POST", "/keys/ES256/cancel" },
        { "POST", "/keys/ES256/undo" },
        { "POST", "/keys/some-kid/activate" },
        { "POST", "/keys/some-kid/compromise" },
        { "GET", "/nothing-here" },
        { "DELETE", "/keys" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Without_a_token_nothing_is_told(string method, string path)
    {
        var answer = await admin.CallAsync(method, path, null, authorization: null, Ct);

        answer.IsProblem(401, "no_token");
        Assert.Equal($"Bearer realm=\"{Issuer}\"", answer.Challenge);
    }

    [Theory]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Basic a2V5czpzZWNyZXQ=")]
    [InlineData("nonsense")]
    public async Task What_is_no_bearer_token_counts_as_none(string header) =>
        (await admin.CallAsync("GET", "/keys", null, header, Ct)).IsProblem(401, "no_token");

    [Theory]
    [InlineData("Bearer nonsense")]
    [InlineData("Bearer a.b.c")]
    [InlineData("Bearer 0123456789012345678901234567890123456789012")]
    [InlineData("Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.")]
    public async Task A_token_that_is_none_of_ours_is_refused(string header)
    {
        var answer = await admin.CallAsync("GET", "/keys", null, header, Ct);

        answer.IsProblem(401, "invalid_token");
        Assert.Contains("error=\"invalid_token\"", answer.Challenge, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_very_long_token_is_refused() =>
        (await admin.CallAsync("GET", "/keys", null, "Bearer " + new string('x', 20_000), Ct)).IsProblem(401, "invalid_token");

    [Fact]
    public async Task A_token_in_the_address_or_a_cookie_is_not_looked_at()
    {
        var token = await admin.TokenAsync(Ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(admin.Server.Address, "/admin/api/v1/keys?access_token=" + token));
        request.Headers.Add("Cookie", $"identity.session={token}; access_token={token}");
        using var answer = await admin.Server.Http.SendAsync(request, Ct);

        Assert.Equal(401, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Another_scope_is_not_enough()
    {
        var token = (await admin.Service.ClientCredentialsAsync("api:read", Ct)).AccessToken!;
        var forApi = await admin.CallAsync("GET", "/keys", null, "Bearer " + token, Ct);
        var forPerson = await CallAsAsync(admin.Olga, "openid");

        // Meant for another audience: not ours to judge at all.
        forApi.IsProblem(401, "invalid_token");
        forPerson.IsProblem(403, "insufficient_scope");
        Assert.Contains("error=\"insufficient_scope\"", forPerson.Challenge, StringComparison.Ordinal);
        Assert.Contains("scope=\"admin:keys\"", forPerson.Challenge, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_scope_is_had_only_by_asking_for_it()
    {
        var unasked = await admin.Service.ClientCredentialsAsync(null, Ct);
        var stranger = await admin.Server.AddWebAppAsync("stranger", Ct);
        var strangers = await stranger.ClientCredentialsAsync("admin:keys", Ct);
        var together = await admin.Service.ClientCredentialsAsync("admin:keys api:read", Ct);

        Assert.Equal("api:read", unasked.Scope);
        Assert.Equal("invalid_scope", strangers.Error);
        Assert.Equal(200, (await admin.CallAsync("GET", "/keys", null, "Bearer " + together.AccessToken, Ct)).Status);
        Assert.False(admin.Server.Provider.Supports("scopes_supported", "admin:keys"));
    }

    [Fact]
    public async Task An_expired_and_a_revoked_token_are_refused()
    {
        foreach (var service in (RelyingParty[])[admin.Service, admin.ReferenceService])
        {
            var revoked = (await service.ClientCredentialsAsync("admin:keys", Ct)).AccessToken!;
            var expired = (await service.ClientCredentialsAsync("admin:keys", Ct)).AccessToken!;
            Assert.Equal(200, (await admin.CallAsync("GET", "/keys", null, "Bearer " + revoked, Ct)).Status);
            await service.RevokeAsync(revoked, Ct);

            (await admin.CallAsync("GET", "/keys", null, "Bearer " + revoked, Ct)).IsProblem(401, "invalid_token");
            Assert.Equal(200, (await admin.CallAsync("GET", "/keys", null, "bearer " + expired, Ct)).Status);
            admin.Server.Clock.Advance(TimeSpan.FromMinutes(11));
            (await admin.CallAsync("GET", "/keys", null, "Bearer " + expired, Ct)).IsProblem(401, "invalid_token");
        }
    }

    [Fact]
    public async Task A_token_of_a_client_that_is_gone_is_refused()
    {
        var service = await admin.Server.Services.GetRequiredService<ClientDirectory>().FindAsync("keys-service", Ct);
        var gone = await admin.Server.AddClientAsync(service! with { Id = "gone" }, Ct);
        var token = (await gone.ClientCredentialsAsync("admin:keys", Ct)).AccessToken!;
        Assert.True(await admin.Server.RemoveClientAsync("gone", Ct));
        await admin.Server.Services.GetRequiredService<ChangeFeed>().PollAsync(Ct);

        (await admin.CallAsync("GET", "/keys", null, "Bearer " + token, Ct)).IsProblem(401, "invalid_token");
    }

    [Fact]
    public async Task A_person_needs_a_role()
    {
        var operatorsAnswer = await CallAsAsync(admin.Olga, "openid admin:keys");
        var auditorsAnswer = await CallAsAsync(admin.Ada, "openid admin:keys");

        Assert.Equal(200, operatorsAnswer.Status);
        auditorsAnswer.IsProblem(403, "no_role");
    }

    [Fact]
    public async Task A_person_who_changes_something_shows_two_factors_a_short_while_old()
    {
        var weak = await admin.Server.AddPersonAsync("weak" + Guid.NewGuid().ToString("N"), Ct, "operator");
        var withPassword = (await admin.App.SignInAsync(weak, "openid admin:keys", Ct)).AccessToken!;
        var strong = await admin.Server.GiveAppAsync(
            await admin.Server.AddPersonAsync("strong" + Guid.NewGuid().ToString("N"), Ct, "operator"), Ct);
        var browser = new Browser(admin.App.Http);
        var walk = await admin.App.AuthorizeAsync(browser, admin.App.Attempt("openid admin:keys"), strong, Ct);
        var fresh = (await admin.App.ExchangeAsync(walk, Ct)).AccessToken!;

        Assert.Equal(200, (await admin.CallAsync("GET", "/keys", null, "Bearer " + withPassword, Ct)).Status);
        var refused = await admin.CallAsync("POST", "/keys/ES256/cancel", null, "Bearer " + withPassword, Ct);
        refused.IsProblem(401, "insufficient_user_authentication");
        Assert.Contains("error=\"insufficient_user_authentication\"", refused.Challenge, StringComparison.Ordinal);
        Assert.Contains("acr_values=\"urn:identityserver:mfa\", max_age=\"900\"", refused.Challenge, StringComparison.Ordinal);
        (await admin.CallAsync("POST", "/keys/ES256/cancel", null, "Bearer " + fresh, Ct)).IsProblem(409, "nothing_scheduled");

        // The same sign-in a quarter of an hour later, with a token just made of it.
        admin.Server.Clock.Advance(TimeSpan.FromMinutes(15) + TimeSpan.FromSeconds(1));
        walk = await admin.App.AuthorizeAsync(browser, admin.App.Attempt("openid admin:keys").With("prompt", "none"), null, Ct);
        var old = (await admin.App.ExchangeAsync(walk, Ct)).AccessToken!;
        (await admin.CallAsync("POST", "/keys/ES256/cancel", null, "Bearer " + old, Ct)).IsProblem(401, "insufficient_user_authentication");
        walk = await admin.App.AuthorizeAsync(
            browser, admin.App.Attempt("openid admin:keys").With("acr_values", "urn:identityserver:mfa").With("max_age", "900"), strong, Ct);
        var again = (await admin.App.ExchangeAsync(walk, Ct)).AccessToken!;
        (await admin.CallAsync("POST", "/keys/ES256/cancel", null, "Bearer " + again, Ct)).IsProblem(409, "nothing_scheduled");
    }

    [Fact]
    public async Task No_script_of_another_origin_is_let_in()
    {
        using var preflight = new HttpRequestMessage(HttpMethod.Options, new Uri(admin.Server.Address, "/admin/api/v1/keys"));
        preflight.Headers.Add("Origin", "https://rp.example");
        preflight.Headers.Add("Access-Control-Request-Method", "GET");
        using var answer = await admin.Server.Http.SendAsync(preflight, Ct);

        Assert.Equal(401, (int)answer.StatusCode);
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("DELETE", "/keys", "GET")]
    [InlineData("HEAD", "/keys/plans", "GET")]
    [InlineData("GET", "/keys/ES256/schedule", "POST")]
    [InlineData("PUT", "/keys/es2-x/compromise", "GET, POST")]
    public async Task Another_method_is_told_which_to_use(string method, string path, string allowed)
    {
        var answer = await admin.CallAsync(method, path, null, Ct);

        Assert.Equal((405, allowed), (answer.Status, answer.Response.Content.Headers.Allow is var allow ? string.Join(", ", allow) : null));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/keys/")]
    [InlineData("/keys/ES256/burn")]
    [InlineData("/keys/ES256/schedule/now")]
    [InlineData("/clients")]
    public async Task What_is_not_there_is_a_problem_and_no_page(string path)
    {
        var answer = await admin.GetAsync(path, Ct);

        Assert.Equal("application/problem+json", answer.MediaType);
        Assert.Equal(404, answer.Status);
    }

    [Theory]
    [InlineData("/keys/ES256/schedule", "")]
    [InlineData("/keys/ES256/schedule", "{}")]
    [InlineData("/keys/ES256/schedule", "null")]
    [InlineData("/keys/ES256/schedule", "[]")]
    [InlineData("/keys/ES256/schedule", "\"at\"")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\"")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\"} x")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\",}")]
    [InlineData("/keys/ES256/schedule", "{\"At\":\"2030-01-01T00:00:00Z\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\",\"at\":\"2030-01-01T00:00:00Z\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\",\"wait\":true}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\",\"force\":\"yes\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\",\"every\":\"P90D\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00Z\",\"timeZone\":\"UTC\"}")]
    [InlineData("/keys/ES256/schedule", "{\"timeZone\":\"UTC\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01T00:00:00\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"2030-01-01\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"tomorrow\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":\"0001-01-01T00:00:00+14:00\"}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":1900000000}")]
    [InlineData("/keys/ES256/schedule", "{\"at\":{\"at\":{\"at\":{\"at\":{\"at\":{\"at\":{\"at\":{\"at\":{}}}}}}}}}")]
    [InlineData("/keys/ES256/schedule", "{\"every\":\"P3M\"}")]
    [InlineData("/keys/ES256/schedule", "{\"every\":\"P\"}")]
    [InlineData("/keys/ES256/schedule", "{\"every\":\"PT\"}")]
    [InlineData("/keys/ES256/schedule", "{\"every\":\"90\"}")]
    [InlineData("/keys/ES256/schedule", "{\"every\":\"-P90D\"}")]
    [InlineData("/keys/ES256/schedule", "{\"every\":\"P99999999999999D\"}")]
    [InlineData("/keys/ES256/move", "{\"force\":true}")]
    [InlineData("/keys/ES256/cancel", "{\"kid\":\"x\"}")]
    [InlineData("/keys/ES256/undo", "{\"to\":\"x\"}")]
    [InlineData("/keys/x/activate", "{\"force\":1}")]
    [InlineData("/keys/x/compromise", "{}")]
    [InlineData("/keys/x/compromise", "{\"reason\":\"  \"}")]
    [InlineData("/keys/x/compromise", "{\"reason\":\"a\\u0000b\"}")]
    public async Task A_body_that_is_not_what_is_expected_is_refused(string path, string body) =>
        (await admin.PostAsync(path, body, Ct)).IsProblem(400, "invalid_request");

    [Fact]
    public async Task A_reason_and_a_body_have_an_end()
    {
        (await admin.PostAsync("/keys/x/compromise", $"{{\"reason\":\"{new string('x', 300)}\"}}", Ct)).IsProblem(400, "invalid_request");
        (await admin.PostAsync("/keys/x/compromise", $"{{\"reason\":\"{new string('x', 20_000)}\"}}", Ct)).IsProblem(413, "invalid_request");
        (await admin.PostAsync("/keys/x/compromise", new string(' ', 200_000), Ct)).IsProblem(413, "invalid_request");
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    public async Task A_body_of_another_kind_is_refused(string contentType) =>
        (await admin.CallAsync("POST", "/keys/ES256/cancel", "{}", $"Bearer {await admin.TokenAsync(Ct)}", Ct, contentType))
            .IsProblem(415, "invalid_request");

    [Theory]
    [InlineData("")]
    [InlineData("?alg=")]
    [InlineData("?alg=ES256&alg=RS256")]
    [InlineData("?ALG=")]
    public async Task A_preflight_names_one_algorithm(string query) =>
        (await admin.GetAsync("/keys/preflight" + query, Ct)).IsProblem(400, "invalid_request");

    private string Issuer => admin.Server.Address.GetLeftPart(UriPartial.Authority);

    private async Task<AdminReply> CallAsAsync(Person person, string scope)
    {
        var tokens = await admin.App.SignInAsync(person, scope, Ct);
        return await admin.CallAsync("GET", "/keys", null, "Bearer " + tokens.AccessToken, Ct);
    }
}
