namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
    Plan = Plans.Logout,
    Expects = "a page, no redirect",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutQueryAddedToPostLogoutRedirectUri(ConformanceServer server)
    : LogoutTest(server)
{
    [Fact]
    public async Task A_query_added_to_the_address_is_not_redirected_to()
    {
        var (browser, idToken) = await SignInAsync();

        var page = await SignOutAsync(
            browser,
            ("id_token_hint", idToken.Text),
            ("post_logout_redirect_uri", $"{PostLogoutRedirectUri}?foo=bar"),
            ("state", "s"));

        AssertStayed(page);
    }
}
