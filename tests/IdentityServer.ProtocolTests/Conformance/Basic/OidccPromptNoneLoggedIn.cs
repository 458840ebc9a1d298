namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-prompt-none-logged-in",
    Plan = Plans.Basic,
    Expects = "silent success, same sub and auth_time")]
public sealed class OidccPromptNoneLoggedIn(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task prompt_none_with_a_session_succeeds_silently(string plan)
    {
        var browser = NewBrowser();
        var first = await SignInAsync(browser, Attempt(plan));
        Clock.Advance(TimeSpan.FromSeconds(2));

        var walk = await WalkAsync(browser, Attempt(plan).With("prompt", "none"));

        Assert.Equal((0, 0), (walk.SignIns, walk.Consents));
        var second = await Client.ExchangeAsync(walk, Ct);
        Assert.Equal(Subject(first), Subject(second));
        Assert.Equal(AuthTime(first), AuthTime(second));
    }
}
