using System.Net.Http.Headers;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>UserInfo as a signed JWT (OpenID Connect Core §5.3.2), for a client that asked for it.</summary>
public sealed class SignedUserInfoTests(AppServer apps) : AppServerTest(apps)
{
    [Theory]
    [InlineData("RS256")]
    [InlineData("ES256")]
    public async Task The_answer_is_signed_names_issuer_and_client_and_tells_the_same(string algorithm)
    {
        var app = await Server.AddWebAppAsync("signed-" + algorithm, Ct, client => client with
        {
            RequireConsent = false,
            UserInfoSigningAlgorithm = algorithm,
        });
        var tokens = await app.SignInAsync(Alice, "openid email", Ct);

        using var request = new HttpRequestMessage(HttpMethod.Get, Provider.UserInfo);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.AccessToken);
        using var response = await Server.Http.SendAsync(request, Ct);
        var answer = Jwt.Parse(await response.Content.ReadAsStringAsync(Ct));

        Assert.Equal("application/jwt", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(algorithm, answer.Algorithm);
        answer.Verify(Provider.Jwks);
        Assert.Equal((Provider.Issuer, app.ClientId), ((string?)answer.Claims["iss"], (string?)answer.Claims["aud"]));
        Assert.Equal((string?)tokens.IdToken!.Claims["sub"], (string?)answer.Claims["sub"]);
        Assert.True(answer.Claims.ContainsKey("email"));
    }
}
