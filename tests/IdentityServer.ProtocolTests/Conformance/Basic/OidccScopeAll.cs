namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-scope-all", Plan = Plans.Basic, Expects = "every claim comes from UserInfo")]
public sealed class OidccScopeAll(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task All_scopes_together_release_their_claims_at_UserInfo(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan, "openid profile email address phone"));

        var claims = await UserInfoAsync(tokens);
        foreach (var claim in new[] { "name", "email", "address", "phone_number" })
        {
            Assert.True(claims.ContainsKey(claim), claim);
        }
    }
}
