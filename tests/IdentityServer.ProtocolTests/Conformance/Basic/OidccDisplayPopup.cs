namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-display-popup", Plan = Plans.Basic, Expects = "no error")]
public sealed class OidccDisplayPopup(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task The_display_parameter_popup_is_no_error(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("display", "popup"));

        Assert.NotNull(tokens.IdToken);
    }
}
