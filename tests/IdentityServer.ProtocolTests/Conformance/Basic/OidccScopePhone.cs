namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-scope-phone", Plan = Plans.Basic, Expects = "the claims come from UserInfo")]
public sealed class OidccScopePhone(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task The_scope_phone_releases_its_claims_at_UserInfo(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan, "openid phone"));

        var claims = await UserInfoAsync(tokens);
        Assert.Equal("+86 10 5550 0100", (string?)claims["phone_number"]);
        Assert.True(claims["phone_number_verified"]!.AsValue().TryGetValue<bool>(out _));
        Assert.False(claims.ContainsKey("email"));
    }
}
