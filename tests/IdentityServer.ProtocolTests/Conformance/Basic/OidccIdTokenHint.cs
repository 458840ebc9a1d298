namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-id-token-hint", Plan = Plans.Basic, Expects = "silent success, same sub")]
public sealed class OidccIdTokenHint(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task prompt_none_with_an_id_token_hint_succeeds_silently(string plan)
    {
        var browser = NewBrowser();
        var first = await SignInAsync(browser, Attempt(plan));

        var hinted = Attempt(plan).With("prompt", "none").With("id_token_hint", first.IdToken!.Text);
        var second = await SignInAsync(browser, hinted);

        Assert.Equal(Subject(first), Subject(second));
    }
}
