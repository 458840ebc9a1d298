namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-ensure-registered-redirect-uri",
    Plan = Plans.Basic,
    Expects = "an error page, no redirect",
    Reviewed = true)]
public sealed class OidccEnsureRegisteredRedirectUri(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task An_unregistered_redirect_URI_is_refused_on_our_page(string plan)
    {
        var walk = await WalkAsync(NewBrowser(), Attempt(plan).With("redirect_uri", "https://rp.example/unregistered"));

        AssertErrorPage(walk);
    }
}
