namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported",
    Plan = Plans.Basic,
    Expects = "request_uri_not_supported")]
public sealed class OidccRequestUriUnsignedSupportedCorrectlyOrRejectedAsUnsupported(ConformanceServer server)
    : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_request_by_reference_is_refused_and_not_ignored(string plan)
    {
        var walk = await WalkAsync(NewBrowser(), Attempt(plan).With("request_uri", "https://rp.example/request.jwt"));

        Assert.Equal("request_uri_not_supported", walk.Answered.Error);
        Assert.False((bool)Provider.Metadata["request_uri_parameter_supported"]!);
    }
}
