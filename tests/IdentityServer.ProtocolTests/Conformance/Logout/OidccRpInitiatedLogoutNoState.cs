namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-no-state",
    Plan = Plans.Logout,
    Expects = "back to the app without state; signed out")]
public sealed class OidccRpInitiatedLogoutNoState(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task Without_state_the_app_gets_none()
    {
        var (browser, idToken) = await SignInAsync();

        var page = await SignOutAsync(
            browser,
            ("id_token_hint", idToken.Text),
            ("post_logout_redirect_uri", PostLogoutRedirectUri));

        Assert.Equal(PostLogoutRedirectUri, page.Location?.OriginalString);
        await AssertSignedOutAsync(browser);
    }
}
