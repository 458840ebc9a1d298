using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>A server whose operator allows no retry of a refresh token.</summary>
public sealed class NoGraceTests(NoGraceTests.StrictServer apps) : IClassFixture<NoGraceTests.StrictServer>
{
    private const string Scope = "openid offline_access";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_use_at_the_same_instant_ends_the_grant()
    {
        var tokens = await apps.App.SignInAsync(apps.Alice, Scope, Ct);
        var successor = await apps.App.RefreshAsync(tokens.RefreshToken!, Ct);

        var again = await apps.App.RefreshAsync(tokens.RefreshToken!, Ct);

        Check.TokenError(again, "invalid_grant");
        Check.TokenError(await apps.App.RefreshAsync(successor.RefreshToken!, Ct), "invalid_grant");
    }

    public sealed class StrictServer : AppServer
    {
        protected override void Configure(IDictionary<string, string?> settings) =>
            settings["IdentityServer:Tokens:RefreshGrace"] = "00:00:00";
    }
}
