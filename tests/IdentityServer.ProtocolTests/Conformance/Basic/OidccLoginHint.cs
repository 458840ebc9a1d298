namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-login-hint", Plan = Plans.Basic, Expects = "no error; the name is filled in")]
public sealed class OidccLoginHint(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task login_hint_fills_in_the_name(string plan)
    {
        var walk = await WalkAsync(NewBrowser(), Attempt(plan).With("login_hint", "alice"));

        await Client.ExchangeAsync(walk, Ct);
        var fields = walk.SignInPage!.SignInForm!.Elements.Select(element => element.GetAttribute("value"));
        Assert.Contains("alice", fields);
    }
}
