namespace IdentityServer.ProtocolTests.Conformance.Logout;

[ConformanceModule(
    "oidcc-rp-initiated-logout-discovery-endpoint-verification",
    Plan = Plans.Logout,
    Expects = "end_session_endpoint is published")]
public sealed class OidccRpInitiatedLogoutDiscoveryEndpointVerification(ConformanceServer server) : LogoutTest(server)
{
    [Fact]
    public async Task The_metadata_names_the_end_session_endpoint()
    {
        using var response = await Server.Http.GetAsync(Provider.EndSession, Ct);

        Assert.NotEqual(404, (int)response.StatusCode);
    }
}
