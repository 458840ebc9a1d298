using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    Plan = Plans.Logout,
    Expects = "a page, no redirect",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutModifiedIdTokenHint(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task A_hint_rewritten_to_alg_none_is_not_believed()
    {
        var (browser, idToken) = await SignInAsync();
        var forged = Jwt.Forge(new JsonObject { ["alg"] = "none" }, idToken.Claims.DeepClone().AsObject(), []);

        var page = await SignOutAsync(
            browser,
            ("id_token_hint", forged),
            ("post_logout_redirect_uri", PostLogoutRedirectUri),
            ("state", "s"));

        AssertStayed(page);
    }
}
