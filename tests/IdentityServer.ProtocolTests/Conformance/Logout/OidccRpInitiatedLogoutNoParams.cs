namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-no-params",
    Plan = Plans.Logout,
    Expects = "signed out, on our page",
    Reviewed = true)]
public sealed class OidccRpInitiatedLogoutNoParams(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task Without_parameters_the_person_confirms_and_is_signed_out()
    {
        var (browser, _) = await SignInAsync();

        var page = await SignOutAsync(browser);

        AssertStayed(page);
        await AssertSignedOutAsync(browser);
    }
}
