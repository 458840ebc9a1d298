namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-display-page", Plan = Plans.Basic, Expects = "no error")]
public sealed class OidccDisplayPage(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task The_display_parameter_page_is_no_error(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("display", "page"));

        Assert.NotNull(tokens.IdToken);
    }
}
