namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-idtoken-unsigned",
    Plan = Plans.Basic,
    Expects = "unsigned ID tokens are not offered",
    NotOffered = true)]
public sealed class OidccIdtokenUnsigned(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task Unsigned_ID_tokens_are_not_offered(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan));

        Assert.False(Provider.Supports("id_token_signing_alg_values_supported", "none"));
        Assert.NotEqual("none", tokens.IdToken!.Algorithm);
    }
}
