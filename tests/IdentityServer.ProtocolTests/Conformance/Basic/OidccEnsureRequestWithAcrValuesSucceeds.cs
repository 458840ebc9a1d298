namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-ensure-request-with-acr-values-succeeds",
    Plan = Plans.Basic,
    Expects = "success; acr is one of those asked for")]
public sealed class OidccEnsureRequestWithAcrValuesSucceeds(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task acr_values_are_answered_with_one_of_them(string plan)
    {
        var offered = Provider.Metadata["acr_values_supported"]!.AsArray().Select(value => (string?)value).ToArray();

        var tokens = await SignInAsync(NewBrowser(), Attempt(plan).With("acr_values", string.Join(' ', offered)));
        var unknown = await SignInAsync(NewBrowser(), Attempt(plan).With("acr_values", "1 2"));

        Assert.Contains(tokens.IdToken!["acr"], offered);
        Assert.NotNull(unknown.IdToken);
    }
}
