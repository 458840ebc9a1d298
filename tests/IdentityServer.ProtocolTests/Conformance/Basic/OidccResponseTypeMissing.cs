namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-response-type-missing",
    Plan = Plans.Basic,
    Expects = "unsupported_response_type or invalid_request")]
public sealed class OidccResponseTypeMissing(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_request_without_response_type_is_refused(string plan)
    {
        var walk = await WalkAsync(NewBrowser(), Attempt(plan).With("response_type", null));

        Assert.Contains(walk.Answered.Error, new[] { "unsupported_response_type", "invalid_request" });
    }
}
