namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-ui-locales", Plan = Plans.Basic, Expects = "no error")]
public sealed class OidccUiLocales(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_language_we_do_not_speak_is_no_error(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("ui_locales", "se"));

        Assert.NotNull(tokens.IdToken);
    }
}
