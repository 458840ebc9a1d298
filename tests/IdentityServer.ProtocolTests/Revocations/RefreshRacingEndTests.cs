using System.Collections.Concurrent;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Revocations;

/// <summary>A refresh at one node and the end of its grant, or of its session, at the other begin together, again and again.</summary>
public sealed class RefreshRacingEndTests(TwoNodes world) : IClassFixture<TwoNodes>
{
    private const int Tries = 1000;
    private const int AtOnce = 8;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_token_that_a_refresh_answers_works_once_the_end_has_been_answered()
    {
        var answers = new ConcurrentBag<TokenAnswer>();
        var complaints = new ConcurrentBag<string>();
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(worker => Task.Run(WorkAsync, Ct)));

        Assert.Empty(complaints);

        // Both were first at times, or nothing was raced.
        Assert.Equal(Tries, answers.Count);
        Assert.Contains(answers, answer => answer.Succeeded);
        Assert.Contains(answers, answer => !answer.Succeeded);

        async Task WorkAsync()
        {
            // Grants are given in one session; a session that ends takes the next one with it.
            var browser = new Browser(world.One.Http);
            for (var i = Interlocked.Increment(ref next); i < Tries; i = Interlocked.Increment(ref next))
            {
                var endsSession = i / 2 % 2 == 0;
                var (refreshing, ending) = i % 2 == 0 ? (world.One, world.Other) : (world.Other, world.One);
                var walk = await world.App.AuthorizeAsync(browser, world.App.Attempt("openid offline_access"), world.Alice, Ct);
                var tokens = await world.App.ExchangeAsync(walk, Ct);

                var refresh = Task.Run(() => world.App.At(refreshing.Address).RefreshAsync(tokens.RefreshToken!, Ct), Ct);
                await (endsSession
                    ? world.EndSessionAsync(tokens.IdToken!["sid"]!, ending)
                    : RevokeAsync(ending, tokens.RefreshToken!));
                var answer = await refresh;
                answers.Add(answer);
                await world.HearAsync();
                if (endsSession)
                {
                    browser = new Browser(world.One.Http);
                }

                await ComplainAsync(tokens);
                if (answer.Succeeded)
                {
                    await ComplainAsync(answer);
                }
                else if (answer.Error != "invalid_grant")
                {
                    complaints.Add($"The refresh answered {answer}.");
                }
            }
        }

        async Task RevokeAsync(ServerFixture node, string token) =>
            Assert.Equal(200, (await world.App.At(node.Address).RevokeAsync(token, Ct)).Status);

        async Task ComplainAsync(TokenAnswer tokens)
        {
            foreach (var node in world.Both)
            {
                var app = world.App.At(node.Address);
                if ((await app.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive)
                {
                    complaints.Add("Introspection calls it alive.");
                }

                if (await app.UserInfoAsync(tokens.AccessToken!, Ct) is { Status: not 401 } told)
                {
                    complaints.Add($"UserInfo answers {told}.");
                }

                if (await app.RefreshAsync(tokens.RefreshToken!, Ct) is not { Error: "invalid_grant" } and var refreshed)
                {
                    complaints.Add($"A further refresh answers {refreshed}.");
                }
            }
        }
    }
}
