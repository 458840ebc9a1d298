namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-ensure-post-request-succeeds", Plan = Plans.Basic, Expects = "success")]
public sealed class OidccEnsurePostRequestSucceeds(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task An_authorization_request_may_be_posted(string plan)
    {
        var browser = NewBrowser();
        var first = await Client.AuthorizeByPostAsync(browser, Attempt(plan), Person, Ct);
        await Client.ExchangeAsync(first, Ct);

        var silent = Attempt(plan).With("prompt", "none");
        var second = await Client.AuthorizeByPostAsync(browser, silent, Person, Ct);

        Assert.Equal(1, first.SignIns);
        await Client.ExchangeAsync(second, Ct);
    }
}
