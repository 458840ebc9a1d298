namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-claims-essential", Plan = Plans.Basic, Expects = "success, with the name")]
public sealed class OidccClaimsEssential(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task An_essential_claim_is_told_without_its_scope(string plan)
    {
        const string Claims = """{"userinfo":{"name":{"essential":true}}}""";

        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("claims", Claims));

        Assert.Equal("Alice Example", (string?)(await UserInfoAsync(tokens))["name"]);
    }
}
