namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
    Plan = Plans.Logout,
    Expects = "signed out, on our page",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutNoPostLogoutRedirectUri(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task With_a_hint_and_no_address_the_person_is_signed_out_and_sees_a_page()
    {
        var (browser, idToken) = await SignInAsync();

        var page = await SignOutAsync(browser, ("id_token_hint", idToken.Text));

        AssertStayed(page);
        await AssertSignedOutAsync(browser);
    }
}
