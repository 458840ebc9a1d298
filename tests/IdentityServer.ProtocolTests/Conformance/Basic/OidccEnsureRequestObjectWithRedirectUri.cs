using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-ensure-request-object-with-redirect-uri",
    Plan = Plans.Basic,
    Expects = "an error page, no redirect",
    Reviewed = true)]
public sealed class OidccEnsureRequestObjectWithRedirectUri(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_wrong_redirect_URI_is_not_mended_by_a_request_object(string plan)
    {
        var claims = new JsonObject
        {
            ["client_id"] = Client.ClientId,
            ["redirect_uri"] = Client.RedirectUri,
            ["nonce"] = "inside",
        };
        var request = Jwt.Forge(new JsonObject { ["alg"] = "none" }, claims, []);

        var wrong = Attempt(plan).With("redirect_uri", "https://rp.example/unregistered").With("request", request);

        var walk = await WalkAsync(NewBrowser(), wrong);

        AssertErrorPage(walk);
    }
}
