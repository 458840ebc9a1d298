using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Basic;

[ConformanceModule(
    "oidcc-refresh-token",
    Plan = Plans.Basic,
    Expects = "new tokens, same iss, sub and aud; useless to another client")]
public sealed class OidccRefreshToken(ConformanceServer server) : ModuleTest(server)
{
    [Theory]
    [MemberData(nameof(Plans.BasicAndFormPost), MemberType = typeof(Plans))]
    public async Task A_refresh_token_gives_new_tokens_to_its_client_only(string plan)
    {
        var offline = Attempt(plan, "openid offline_access").With("prompt", "consent");
        var first = await SignInAsync(NewBrowser(), offline);
        Clock.Advance(TimeSpan.FromSeconds(2));

        var stolen = await OtherClient.RefreshAsync(first.RefreshToken!, Ct);
        var second = await Client.RefreshAsync(first.RefreshToken!, Ct);

        Check.TokenError(stolen, "invalid_grant");
        Check.Tokens(second);
        Assert.NotEqual(first.AccessToken, second.AccessToken);
        foreach (var claim in new[] { "iss", "sub", "aud" })
        {
            Assert.Equal(first.IdToken!.Claims[claim]!.ToJsonString(), second.IdToken!.Claims[claim]!.ToJsonString());
        }

        Assert.Equal(AuthTime(first), AuthTime(second));
        Assert.True(Check.Instant(second.IdToken!, "iat") > Check.Instant(first.IdToken!, "iat"));
    }
}
