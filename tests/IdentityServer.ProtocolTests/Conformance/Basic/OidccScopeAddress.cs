namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-scope-address", Plan = Plans.Basic, Expects = "the claims come from UserInfo")]
public sealed class OidccScopeAddress(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task The_scope_address_releases_its_claims_at_UserInfo(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan, "openid address"));

        var claims = await UserInfoAsync(tokens);
        Assert.Equal("Beijing", (string?)claims["address"]!["locality"]);
        Assert.False(claims.ContainsKey("email"));
    }
}
