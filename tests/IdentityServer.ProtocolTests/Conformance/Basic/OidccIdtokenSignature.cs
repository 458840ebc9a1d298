namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-idtoken-signature", Plan = Plans.Basic, Expects = "RS256 with a kid")]
public sealed class OidccIdtokenSignature(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task An_ID_token_is_signed_with_RS256_unless_asked_otherwise(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan));

        Assert.Equal("RS256", tokens.IdToken!.Algorithm);
        Assert.NotNull(tokens.IdToken.Kid);
    }
}
