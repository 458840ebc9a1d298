namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-prompt-none-not-logged-in", Plan = Plans.Basic, Expects = "login_required")]
public sealed class OidccPromptNoneNotLoggedIn(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task prompt_none_without_a_session_is_answered_login_required(string plan)
    {
        var walk = await WalkAsync(NewBrowser(), Attempt(plan).With("prompt", "none"));

        Assert.Equal("login_required", walk.Answered.Error);
        Assert.Equal(0, walk.SignIns);
    }
}
