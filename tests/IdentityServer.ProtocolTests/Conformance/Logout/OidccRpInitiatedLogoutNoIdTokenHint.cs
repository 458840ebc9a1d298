namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-no-id-token-hint",
    Plan = Plans.Logout,
    Expects = "a page, no redirect",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutNoIdTokenHint(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task Without_a_hint_an_address_is_not_redirected_to()
    {
        var (browser, _) = await SignInAsync();

        var page = await SignOutAsync(
            browser,
            ("post_logout_redirect_uri", PostLogoutRedirectUri),
            ("state", "s"));

        AssertStayed(page);
    }
}
