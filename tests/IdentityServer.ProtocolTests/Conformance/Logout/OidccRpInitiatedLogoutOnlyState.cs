namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-only-state",
    Plan = Plans.Logout,
    Expects = "signed out, on our page",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutOnlyState(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task With_state_alone_the_person_confirms_and_is_signed_out()
    {
        var (browser, _) = await SignInAsync();

        var page = await SignOutAsync(browser, ("state", "s"));

        AssertStayed(page);
        await AssertSignedOutAsync(browser);
    }
}
