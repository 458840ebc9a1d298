namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-prompt-login", Plan = Plans.Basic, Expects = "asks again; newer auth_time")]
public sealed class OidccPromptLogin(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task prompt_login_asks_again_and_renews_auth_time(string plan)
    {
        var browser = NewBrowser();
        var first = await SignInAsync(browser, Attempt(plan));
        Clock.Advance(TimeSpan.FromSeconds(2));

        var walk = await WalkAsync(browser, Attempt(plan).With("prompt", "login"));

        Assert.Equal(1, walk.SignIns);
        var second = await Client.ExchangeAsync(walk, Ct);
        Assert.True(AuthTime(second) > AuthTime(first));
        Assert.Equal(Subject(first), Subject(second));
    }
}
