namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-server-client-secret-post", Plan = Plans.Basic, Expects = "success")]
public sealed class OidccServerClientSecretPost(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_client_may_send_its_secret_in_the_body(string plan)
    {
        var attempt = Attempt(plan).With("client_id", PostClient.ClientId);
        var walk = await PostClient.AuthorizeAsync(NewBrowser(), attempt, Person, Ct);

        var tokens = await PostClient.ExchangeAsync(walk, Ct);

        Assert.NotNull(tokens.IdToken);
    }
}
