using System.Security.Cryptography;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-bad-id-token-hint",
    Plan = Plans.Logout,
    Expects = "a page, no redirect",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutBadIdTokenHint(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task A_hint_signed_by_another_key_is_not_believed()
    {
        var (browser, idToken) = await SignInAsync();
        using var rsa = RSA.Create(2048);
        var forged = Jwt.Sign(
            idToken.Header.DeepClone().AsObject(),
            idToken.Claims.DeepClone().AsObject(),
            signed => rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

        var page = await SignOutAsync(
            browser,
            ("id_token_hint", forged),
            ("post_logout_redirect_uri", PostLogoutRedirectUri),
            ("state", "s"));

        AssertStayed(page);
    }
}
