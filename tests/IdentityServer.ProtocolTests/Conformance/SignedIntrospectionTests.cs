using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>Introspection answers as signed JWTs (RFC 9701), for a caller that asks for them.</summary>
public sealed class SignedIntrospectionTests(AppServer apps) : AppServerTest(apps)
{
    private const string Signed = "application/token-introspection+jwt";

    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task The_answer_is_one_claim_of_a_token_for_the_caller(string algorithm)
    {
        var app = await Server.AddWebAppAsync("introspects-" + algorithm, Ct, client => client with
        {
            RequireConsent = false,
            IdTokenSigningAlgorithm = algorithm,
        });
        var tokens = await app.SignInAsync(Alice, "openid email", Ct);

        var (mediaType, text) = await AskAsync(app, tokens.AccessToken!, Signed);
        var answer = Jwt.Parse(text);

        Assert.Equal((Signed, "token-introspection+jwt", algorithm), (mediaType, answer.Type, answer.Algorithm));
        answer.Verify(Provider.Jwks);
        Assert.Equal(["iss", "aud", "iat", "token_introspection"], answer.Claims.Select(claim => claim.Key));
        Assert.Equal((Provider.Issuer, app.ClientId), ((string?)answer.Claims["iss"], (string?)answer.Claims["aud"]));
        Assert.Equal(Server.Clock.GetUtcNow().ToUnixTimeSeconds(), (long)answer.Claims["iat"]!);
        Assert.True(JsonNode.DeepEquals((await app.IntrospectAsync(tokens.AccessToken!, Ct)).Json, answer.Claims["token_introspection"]));
    }

    [Fact]
    public async Task A_dead_token_is_inactive_and_nothing_more_signed_too()
    {
        var app = await Server.AddWebAppAsync("introspects-dead", Ct, client => client with { RequireConsent = false });
        var stranger = (await (await Server.AddWebAppAsync("introspected", Ct)).ClientCredentialsAsync(null, Ct)).AccessToken!;

        foreach (var token in new[] { "unknown", stranger })
        {
            var answer = Jwt.Parse((await AskAsync(app, token, Signed)).Text);
            answer.Verify(Provider.Jwks);
            Assert.Equal("""{"active":false}""", answer.Claims["token_introspection"]!.ToJsonString());
        }
    }

    [Fact]
    public async Task The_signed_answer_is_no_token_itself()
    {
        var app = await Server.AddWebAppAsync("introspects-twice", Ct, client => client with { RequireConsent = false });
        var tokens = await app.SignInAsync(Alice, "openid email", Ct);
        var signed = (await AskAsync(app, tokens.AccessToken!, Signed)).Text;

        Assert.False((await app.IntrospectAsync(signed, Ct)).IsActive);
        Assert.Equal(401, (await app.UserInfoAsync(signed, Ct)).Status);
        var page = await new Browser(Server.Http).OpenAsync(app.EndSessionAddress(("id_token_hint", signed)), Ct);
        Assert.Equal(400, (int)page.Status);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("*/*", false)]
    [InlineData("application/json", false)]
    [InlineData("application/json, application/token-introspection+jwt;q=0.5", false)]
    [InlineData("application/token-introspection+jwt;q=0", false)]
    [InlineData("application/jwt", false)]
    [InlineData(";;,=,\"", false)]
    [InlineData("application/token-introspection+jwt, application/json;q=0.5", true)]
    [InlineData("text/html, APPLICATION/Token-Introspection+JWT;q=0.1", true)]
    public async Task Only_who_asks_for_it_gets_it_signed(string? accept, bool isSigned)
    {
        var app = await Server.AddWebAppAsync("accepts-" + Guid.NewGuid(), Ct);

        Assert.Equal(isSigned ? Signed : "application/json", (await AskAsync(app, "any", accept)).MediaType);
    }

    [Fact]
    public async Task Who_does_not_prove_who_they_are_gets_nothing_signed()
    {
        var app = await Server.AddWebAppAsync("introspects-wrong", Ct);

        var (mediaType, text) = await AskAsync(app, "any", Signed, secret: "wrong");

        Assert.Equal("application/json", mediaType);
        Assert.Contains("invalid_client", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Discovery_says_so() => Assert.Equal(
        Provider.Metadata["id_token_signing_alg_values_supported"]!.ToJsonString(),
        Provider.Metadata["introspection_signing_alg_values_supported"]!.ToJsonString());

    private async Task<(string? MediaType, string Text)> AskAsync(RelyingParty app, string token, string? accept, string? secret = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Provider.Introspection);
        request.Headers.Authorization = RelyingParty.Basic(app.ClientId, secret ?? app.Secret!);
        request.Content = new FormUrlEncodedContent([new("token", token)]);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var response = await Server.Http.SendAsync(request, Ct);
        return (response.Content.Headers.ContentType?.MediaType, await response.Content.ReadAsStringAsync(Ct));
    }
}
