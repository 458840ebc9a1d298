namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-ensure-request-with-unknown-parameter-succeeds", Plan = Plans.Basic, Expects = "ignored")]
public sealed class OidccEnsureRequestWithUnknownParameterSucceeds(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task An_unknown_parameter_is_ignored(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("extra", "foobar"));

        Assert.NotNull(tokens.IdToken);
    }
}
