using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule("oidcc-codereuse", Plan = Plans.Basic, Expects = "the second use is refused")]
public sealed class OidccCodereuse(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_code_is_used_once(string plan)
    {
        var walk = await WalkAsync(NewBrowser(), Attempt(plan));
        await Client.ExchangeAsync(walk, Ct);

        var again = await Client.RedeemAsync(walk, Ct);

        Check.TokenError(again, "invalid_grant");
    }
}
