namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-claims-locales", Plan = Plans.Basic, Expects = "no error")]
public sealed class OidccClaimsLocales(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_language_of_claims_is_no_error(string plan)
    {
        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("claims_locales", "se"));

        Assert.NotNull(tokens.IdToken);
    }
}
