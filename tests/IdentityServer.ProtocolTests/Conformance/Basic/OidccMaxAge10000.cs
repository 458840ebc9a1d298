namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-max-age-10000", Plan = Plans.Basic, Expects = "no second sign-in, same auth_time")]
public sealed class OidccMaxAge10000(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_generous_max_age_does_not_ask_again_and_tells_auth_time(string plan)
    {
        var browser = NewBrowser();
        var first = await SignInAsync(browser, Attempt(plan).With("max_age", "15000"));
        Clock.Advance(TimeSpan.FromSeconds(2));

        var walk = await WalkAsync(browser, Attempt(plan).With("max_age", "10000"));

        Assert.Equal(0, walk.SignIns);
        var second = await Client.ExchangeAsync(walk, Ct);
        Assert.Equal(AuthTime(first), AuthTime(second));
    }
}
