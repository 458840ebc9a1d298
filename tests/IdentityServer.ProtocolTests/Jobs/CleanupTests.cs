using IdentityServer.Jobs;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Jobs;

/// <summary>What a clean-up must not change for apps and people.</summary>
public sealed class CleanupTests(AppServer apps) : AppServerTest(apps)
{
    [Fact]
    public async Task A_family_of_refresh_tokens_lives_on_and_its_replay_still_ends_it()
    {
        var first = await App.SignInAsync(Alice, "openid offline_access", Ct);
        var other = await OtherApp.SignInAsync(Alice, "openid offline_access", Ct);
        var latest = first;
        for (var day = 0; day < 20; day++)
        {
            Server.Clock.Advance(TimeSpan.FromDays(1));
            await CleanUpAsync();
            latest = await App.RefreshAsync(latest.RefreshToken!, Ct);
            Check.Tokens(latest);
        }

        await CleanUpAsync();
        Check.TokenError(await App.RefreshAsync(first.RefreshToken!, Ct), "invalid_grant");

        Check.TokenError(await App.RefreshAsync(latest.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await App.UserInfoAsync(latest.AccessToken!, Ct)).Status);
        Check.Tokens(await OtherApp.RefreshAsync(other.RefreshToken!, Ct));
    }

    [Fact]
    public async Task What_ended_stays_ended()
    {
        var tokens = await App.SignInAsync(Alice, "openid offline_access", Ct);
        await App.RevokeAsync(tokens.RefreshToken!, Ct);
        for (var day = 0; day < 40; day++)
        {
            await CleanUpAsync();
            Check.TokenError(await App.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
            Assert.Equal(401, (await App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
            Server.Clock.Advance(TimeSpan.FromDays(1));
        }
    }

    private async Task CleanUpAsync() =>
        await Server.Services.GetServices<IServerJob>().OfType<CleanupJob>().Single().RunAsync(Ct);
}
