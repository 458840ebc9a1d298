namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-scope-email", Plan = Plans.Basic, Expects = "the claims come from UserInfo")]
public sealed class OidccScopeEmail(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task The_scope_email_releases_its_claims_at_UserInfo(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan, "openid email"));

        var claims = await UserInfoAsync(tokens);
        Assert.Equal("alice@example.com", (string?)claims["email"]);
        Assert.True(claims["email_verified"]!.AsValue().TryGetValue<bool>(out _));
        Assert.False(claims.ContainsKey("name"));
    }
}
