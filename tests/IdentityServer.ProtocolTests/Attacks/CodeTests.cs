using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>RFC 9700 §4.2, §4.5, §4.8: stolen, injected and replayed codes, and the removal of PKCE.</summary>
public sealed class CodeTests(AppServer apps) : AppServerTest(apps)
{
    private const string Scope = "openid offline_access";

    [Theory]
    [InlineData("code_challenge", null)]
    [InlineData("code_challenge_method", null)]
    [InlineData("code_challenge_method", "plain")]
    [InlineData("code_challenge_method", "s256")]
    [InlineData("code_challenge_method", "S512")]
    [InlineData("code_challenge", "short")]
    [InlineData("code_challenge", "not+base64url+++++++++++++++++++++++++++++++")]
    public async Task A_request_without_a_proper_challenge_is_refused(string parameter, string? value)
    {
        foreach (var client in new[] { App, Spa })
        {
            var walk = await client.AuthorizeAsync(NewBrowser(), client.Attempt().With(parameter, value), Alice, Ct);

            Assert.Equal("invalid_request", walk.Answered.Error);
        }
    }

    [Fact]
    public async Task A_code_is_worthless_without_its_verifier()
    {
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt(Scope), Alice, Ct);

        var missing = await RedeemAsync(App, walk, verifier: null);
        var wrong = await RedeemAsync(App, walk, AuthorizationAttempt.ChallengeOf("another"));
        var challenge = await RedeemAsync(App, walk, walk.Attempt["code_challenge"]);
        var shortened = await RedeemAsync(App, walk, walk.Attempt.Verifier[..42]);

        Check.TokenError(missing, "invalid_request");
        Check.TokenError(wrong, "invalid_grant");
        Check.TokenError(challenge, "invalid_grant");
        Check.TokenError(shortened, "invalid_grant");
    }

    [Fact]
    public async Task A_code_injected_into_another_session_is_refused()
    {
        var stolen = await Spa.AuthorizeAsync(NewBrowser(), Spa.Attempt(Scope), Alice, Ct);
        var own = await Spa.AuthorizeAsync(NewBrowser(), Spa.Attempt(Scope), Mallory, Ct);

        var injected = await RedeemAsync(Spa, stolen, own.Attempt.Verifier);

        Check.TokenError(injected, "invalid_grant");
    }

    [Fact]
    public async Task A_code_of_another_client_is_refused()
    {
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt(Scope), Alice, Ct);

        Check.TokenError(await OtherApp.RedeemAsync(walk, Ct), "invalid_grant");
        Check.TokenError(await Spa.RedeemAsync(walk, Ct), "invalid_grant");
    }

    [Fact]
    public async Task A_code_is_bound_to_its_redirect_uri()
    {
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt(Scope), Alice, Ct);

        var answer = await App.TokenAsync(
        [
            new("grant_type", "authorization_code"),
            new("code", walk.Code),
            new("redirect_uri", "https://evil.example/callback"),
            new("code_verifier", walk.Attempt.Verifier),
        ], Ct);

        Check.TokenError(answer, "invalid_grant");
    }

    [Theory]
    [InlineData(59, 200)]
    [InlineData(60, 400)]
    [InlineData(3600, 400)]
    public async Task A_code_lives_a_minute(int seconds, int expected)
    {
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt(Scope), Alice, Ct);
        Server.Clock.Advance(TimeSpan.FromSeconds(seconds));

        var answer = await App.RedeemAsync(walk, Ct);

        Assert.Equal(expected, answer.Status);
    }

    [Fact]
    public async Task A_replayed_code_ends_the_grant_and_everything_from_it()
    {
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt(Scope), Alice, Ct);
        var tokens = await App.ExchangeAsync(walk, Ct);
        var refreshed = await App.RefreshAsync(tokens.RefreshToken!, Ct);

        var replay = await App.RedeemAsync(walk, Ct);

        Check.TokenError(replay, "invalid_grant");
        foreach (var issued in new[] { tokens, refreshed })
        {
            Assert.Equal(401, (await App.UserInfoAsync(issued.AccessToken!, Ct)).Status);
            Assert.False((await App.IntrospectAsync(issued.AccessToken!, Ct)).IsActive);
        }

        Check.TokenError(await App.RefreshAsync(refreshed.RefreshToken!, Ct), "invalid_grant");
    }

    [Fact]
    public async Task A_replay_ends_no_other_grant_of_the_person()
    {
        var browser = NewBrowser();
        var replayed = await App.AuthorizeAsync(browser, App.Attempt(Scope), Alice, Ct);
        var other = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(Scope), Alice, Ct), Ct);
        await App.ExchangeAsync(replayed, Ct);

        await App.RedeemAsync(replayed, Ct);

        Assert.Equal(200, (await App.UserInfoAsync(other.AccessToken!, Ct)).Status);
        Assert.Equal(200, (await App.RefreshAsync(other.RefreshToken!, Ct)).Status);
    }

    [Fact]
    public async Task A_code_dies_with_the_session_it_was_given_in()
    {
        var browser = NewBrowser();
        var tokens = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct), Ct);
        var walk = await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct);

        await browser.OpenAsync(App.EndSessionAddress(("id_token_hint", tokens.IdToken!.Text)), Ct);

        Check.TokenError(await App.RedeemAsync(walk, Ct), "invalid_grant");
        Assert.Equal(401, (await App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
    }

    private static Task<TokenAnswer> RedeemAsync(RelyingParty client, AuthorizationWalk walk, string? verifier)
    {
        var parameters = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"),
            new("code", walk.Code),
            new("redirect_uri", walk.Attempt["redirect_uri"]!),
        };
        if (verifier is not null)
        {
            parameters.Add(new("code_verifier", verifier));
        }

        return client.TokenAsync(parameters, Ct);
    }
}
