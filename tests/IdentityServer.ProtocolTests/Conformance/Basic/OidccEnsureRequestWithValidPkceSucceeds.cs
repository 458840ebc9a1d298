namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-ensure-request-with-valid-pkce-succeeds", Plan = Plans.Basic, Expects = "success")]
public sealed class OidccEnsureRequestWithValidPkceSucceeds(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_request_with_PKCE_succeeds(string plan)
    {
        Assert.True(Provider.Supports("code_challenge_methods_supported", "S256"));

        var tokens = await SignInAsync(NewBrowser(), Attempt(plan));

        Assert.NotNull(tokens.IdToken);
    }
}
