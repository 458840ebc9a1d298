namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow",
    Plan = Plans.Basic,
    Expects = "success, no nonce claim")]
public sealed class OidccEnsureRequestWithoutNonceSucceedsForCodeFlow(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_request_without_nonce_succeeds_and_the_ID_token_has_none(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("nonce", null));

        Assert.False(tokens.IdToken!.Claims.ContainsKey("nonce"));
    }
}
