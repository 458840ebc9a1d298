namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-server", Plan = Plans.Basic, Expects = "success with every check")]
public sealed class OidccServer(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_plain_sign_in_passes_every_check(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan));

        Assert.NotNull(tokens.IdToken);
    }
}
