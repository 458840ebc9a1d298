namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout",
    Plan = Plans.Logout,
    Expects = "back to the app with the exact state; signed out")]
public sealed class OidccRpInitiatedLogout(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task A_good_request_signs_out_and_returns_the_state()
    {
        var state = new string('s', 128);
        var (browser, idToken) = await SignInAsync();

        var page = await SignOutAsync(
            browser,
            ("id_token_hint", idToken.Text),
            ("post_logout_redirect_uri", PostLogoutRedirectUri),
            ("state", state));

        Assert.Equal($"{PostLogoutRedirectUri}?state={state}", page.Location?.OriginalString);
        await AssertSignedOutAsync(browser);
    }
}
