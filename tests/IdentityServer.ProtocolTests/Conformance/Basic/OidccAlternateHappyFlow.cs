namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-alternate-happy-flow", Plan = Plans.Basic, Expects = "success")]
public sealed class OidccAlternateHappyFlow(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task The_order_of_scopes_and_parameters_does_not_matter(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan, "email openid").Reversed());

        Assert.Equal("alice@example.com", (string?)(await UserInfoAsync(tokens))["email"]);
    }
}
