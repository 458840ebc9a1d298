using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>RFC 9700 §4.14: refresh tokens rotate, and a copy gives itself away.</summary>
public sealed class RefreshTokenTests(AppServer apps) : AppServerTest(apps)
{
    private const string Scope = "openid profile offline_access";

    [Fact]
    public async Task A_retry_within_the_grace_window_gets_the_same_successor()
    {
        var tokens = await App.SignInAsync(Alice, Scope, Ct);

        var first = await App.RefreshAsync(tokens.RefreshToken!, Ct);
        Server.Clock.Advance(TimeSpan.FromSeconds(10));
        var retry = await App.RefreshAsync(tokens.RefreshToken!, Ct);

        Check.Tokens(retry);
        Assert.Equal(first.RefreshToken, retry.RefreshToken);
    }

    [Fact]
    public async Task A_reuse_after_the_grace_window_ends_the_grant()
    {
        var tokens = await App.SignInAsync(Alice, Scope, Ct);
        var successor = await App.RefreshAsync(tokens.RefreshToken!, Ct);
        Server.Clock.Advance(TimeSpan.FromSeconds(11));

        var reuse = await App.RefreshAsync(tokens.RefreshToken!, Ct);

        Check.TokenError(reuse, "invalid_grant");
        Check.TokenError(await App.RefreshAsync(successor.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await App.UserInfoAsync(successor.AccessToken!, Ct)).Status);
    }

    [Fact]
    public async Task A_reuse_within_the_window_of_a_successor_already_used_ends_the_grant()
    {
        var tokens = await App.SignInAsync(Alice, Scope, Ct);
        var second = await App.RefreshAsync(tokens.RefreshToken!, Ct);
        var third = await App.RefreshAsync(second.RefreshToken!, Ct);

        var reuse = await App.RefreshAsync(tokens.RefreshToken!, Ct);

        Check.TokenError(reuse, "invalid_grant");
        Check.TokenError(await App.RefreshAsync(third.RefreshToken!, Ct), "invalid_grant");
    }

    [Fact]
    public async Task A_refresh_may_narrow_the_scope_and_never_widens_it()
    {
        var tokens = await App.SignInAsync(Alice, Scope, Ct);

        var wider = await RefreshAsync(tokens, "openid profile offline_access email");
        var narrower = await RefreshAsync(tokens, "openid");

        Check.TokenError(wider, "invalid_scope");
        Check.Tokens(narrower);
        var claims = await App.UserInfoAsync(narrower.AccessToken!, Ct);
        Assert.False(claims.Json.ContainsKey("name"));
    }

    [Fact]
    public async Task A_refresh_token_is_bound_to_its_client()
    {
        var tokens = await Spa.SignInAsync(Alice, Scope, Ct);

        Check.TokenError(await App.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Check.TokenError(await Native.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(200, (await Spa.RefreshAsync(tokens.RefreshToken!, Ct)).Status);
    }

    [Fact]
    public async Task A_revoked_refresh_token_takes_its_grant_along()
    {
        var tokens = await App.SignInAsync(Alice, Scope, Ct);

        var revoked = await App.RevokeAsync(tokens.RefreshToken!, Ct);

        Assert.Equal(200, revoked.Status);
        Check.TokenError(await App.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.False((await App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task Only_its_client_may_revoke_a_token()
    {
        var tokens = await App.SignInAsync(Alice, Scope, Ct);

        await OtherApp.RevokeAsync(tokens.RefreshToken!, Ct);
        await OtherApp.RevokeAsync(tokens.AccessToken!, Ct);

        Assert.Equal(200, (await App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
        Assert.Equal(200, (await App.RefreshAsync(tokens.RefreshToken!, Ct)).Status);
    }

    [Fact]
    public async Task Introspection_tells_a_stranger_nothing()
    {
        var tokens = await App.SignInAsync(Alice, Scope, Ct);

        var mine = await App.IntrospectAsync(tokens.AccessToken!, Ct);
        var strangers = await OtherApp.IntrospectAsync(tokens.AccessToken!, Ct);
        var unknown = await OtherApp.IntrospectAsync("no-such-token", Ct);

        Assert.True(mine.IsActive);
        Assert.Equal("""{"active":false}""", strangers.Text);
        Assert.Equal(unknown.Text, strangers.Text);
    }

    private Task<TokenAnswer> RefreshAsync(TokenAnswer tokens, string scope) => App.TokenAsync(
    [
        new("grant_type", "refresh_token"),
        new("refresh_token", tokens.RefreshToken!),
        new("scope", scope),
    ], Ct);
}
