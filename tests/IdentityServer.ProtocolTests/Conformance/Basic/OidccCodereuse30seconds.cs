using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-codereuse-30seconds", Plan = Plans.Basic, Expects = "refused, and the first tokens end")]
public sealed class OidccCodereuse30seconds(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_code_used_again_after_half_a_minute_ends_what_it_gave(string plan)
    {
        var walk = await WalkAsync(NewBrowser(), Attempt(plan));
        var tokens = await Client.ExchangeAsync(walk, Ct);
        Clock.Advance(TimeSpan.FromSeconds(30));

        var again = await Client.RedeemAsync(walk, Ct);

        Check.TokenError(again, "invalid_grant");
        Assert.Equal(401, (await Client.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
    }
}
