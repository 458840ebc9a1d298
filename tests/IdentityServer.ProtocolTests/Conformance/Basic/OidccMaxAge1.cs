namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-max-age-1", Plan = Plans.Basic, Expects = "asks again; newer auth_time")]
public sealed class OidccMaxAge1(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task max_age_of_a_second_asks_again_after_two(string plan)
    {
        var browser = NewBrowser();
        var first = await SignInAsync(browser, Attempt(plan));
        Clock.Advance(TimeSpan.FromSeconds(2));

        var walk = await WalkAsync(browser, Attempt(plan).With("max_age", "1"));

        Assert.Equal(1, walk.SignIns);
        var second = await Client.ExchangeAsync(walk, Ct);
        Assert.True(AuthTime(second) > AuthTime(first));
    }
}
