using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported",
    Plan = Plans.Basic,
    Expects = "request_not_supported")]
public sealed class OidccUnsignedRequestObjectSupportedCorrectlyOrRejectedAsUnsupported(ConformanceServer server)
    : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task An_unsigned_request_object_is_refused_and_not_ignored(string plan)
    {
        var claims = new JsonObject
        {
            ["client_id"] = Client.ClientId,
            ["redirect_uri"] = Client.RedirectUri,
            ["nonce"] = "inside",
        };
        var request = Jwt.Forge(new JsonObject { ["alg"] = "none" }, claims, []);

        var walk = await WalkAsync(NewBrowser(), Attempt(plan).With("request", request));

        Assert.Equal("request_not_supported", walk.Answered.Error);
        Assert.NotEqual(true, (bool?)Provider.Metadata["request_parameter_supported"]);
    }
}
