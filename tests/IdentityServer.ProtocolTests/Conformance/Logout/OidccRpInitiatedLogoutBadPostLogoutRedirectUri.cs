namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    Plan = Plans.Logout,
    Expects = "a page, no redirect",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutBadPostLogoutRedirectUri(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task An_unregistered_address_is_not_redirected_to()
    {
        var (browser, idToken) = await SignInAsync();

        var page = await SignOutAsync(
            browser,
            ("id_token_hint", idToken.Text),
            ("post_logout_redirect_uri", "https://rp.example/unregistered"),
            ("state", "s"));

        AssertStayed(page);
    }
}
