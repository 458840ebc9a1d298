namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-scope-profile", Plan = Plans.Basic, Expects = "the claims come from UserInfo")]
public sealed class OidccScopeProfile(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task The_scope_profile_releases_its_claims_at_UserInfo(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan, "openid profile"));

        var claims = await UserInfoAsync(tokens);
        Assert.Equal("Alice Example", (string?)claims["name"]);
        Assert.Equal("Alice", (string?)claims["given_name"]);
        Assert.Equal("Example", (string?)claims["family_name"]);
        Assert.Equal("alice", (string?)claims["preferred_username"]);
        Assert.True(claims["updated_at"]!.AsValue().TryGetValue<long>(out _));
        Assert.False(claims.ContainsKey("email"));
    }
}
