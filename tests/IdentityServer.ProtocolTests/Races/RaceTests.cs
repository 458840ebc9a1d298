using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Races;

/// <summary>What is to happen once happens once, however many ask at the same time.</summary>
public abstract class RaceTests(AppServer apps)
{
    private const int Parallel = 64;
    private const string Scope = "openid offline_access";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private RelyingParty App => apps.App;

    [Fact]
    public async Task Of_many_parallel_uses_of_a_code_one_succeeds_and_the_grant_ends()
    {
        var walk = await App.AuthorizeAsync(new Browser(App.Http), App.Attempt(Scope), apps.Alice, Ct);

        var answers = await AtOnceAsync(() => App.RedeemAsync(walk, Ct));

        var winner = Assert.Single(answers, answer => answer.Succeeded);
        Assert.All(answers.Where(answer => answer != winner), answer => Check.TokenError(answer, "invalid_grant"));
        Assert.False((await App.IntrospectAsync(winner.AccessToken!, Ct)).IsActive);
        Check.TokenError(await App.RefreshAsync(winner.RefreshToken!, Ct), "invalid_grant");
    }

    [Fact]
    public async Task Many_parallel_uses_of_a_refresh_token_get_one_successor()
    {
        var tokens = await App.SignInAsync(apps.Alice, Scope, Ct);

        var answers = await AtOnceAsync(() => App.RefreshAsync(tokens.RefreshToken!, Ct));

        Assert.All(answers, Check.Tokens);
        var successor = Assert.Single(answers.Select(answer => answer.RefreshToken!).Distinct(StringComparer.Ordinal));
        Assert.NotEqual(tokens.RefreshToken, successor);
        Assert.Equal(200, (await App.RefreshAsync(successor, Ct)).Status);
    }

    [Fact]
    public async Task Many_parallel_uses_after_the_grace_window_end_the_grant()
    {
        var tokens = await App.SignInAsync(apps.Alice, Scope, Ct);
        var successor = await App.RefreshAsync(tokens.RefreshToken!, Ct);
        apps.Server.Clock.Advance(TimeSpan.FromSeconds(11));

        var answers = await AtOnceAsync(() => App.RefreshAsync(tokens.RefreshToken!, Ct));

        Assert.All(answers, answer => Check.TokenError(answer, "invalid_grant"));
        Check.TokenError(await App.RefreshAsync(successor.RefreshToken!, Ct), "invalid_grant");
        Assert.False((await App.IntrospectAsync(successor.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task A_refresh_racing_with_a_revocation_leaves_nothing_alive()
    {
        for (var round = 0; round < 8; round++)
        {
            var tokens = await App.SignInAsync(apps.Alice, Scope, Ct);

            var refreshing = AtOnceAsync(() => App.RefreshAsync(tokens.RefreshToken!, Ct), 8);
            var revoked = await App.RevokeAsync(tokens.RefreshToken!, Ct);
            var answers = await refreshing;

            Assert.Equal(200, revoked.Status);
            foreach (var answer in answers.Where(answer => answer.Succeeded))
            {
                Check.TokenError(await App.RefreshAsync(answer.RefreshToken!, Ct), "invalid_grant");
                Assert.False((await App.IntrospectAsync(answer.AccessToken!, Ct)).IsActive);
            }
        }
    }

    private static async Task<TokenAnswer[]> AtOnceAsync(Func<Task<TokenAnswer>> use, int count = Parallel)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var uses = Enumerable.Range(0, count).Select(async _ =>
        {
            await start.Task;
            return await use();
        }).ToArray();
        start.SetResult();
        return await Task.WhenAll(uses);
    }
}

public sealed class RacesOnSqlite(AppServer apps) : RaceTests(apps), IClassFixture<AppServer>;

public sealed class RacesOnPostgreSql(PostgresAppServer apps) : RaceTests(apps), IClassFixture<PostgresAppServer>;
