using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>What has ended stays ended, and what is in use does not end by itself.</summary>
public sealed class LifetimeTests(AppServer apps) : AppServerTest(apps)
{
    [Fact]
    public async Task A_node_that_starts_later_knows_of_every_ending_that_a_living_token_could_outlast()
    {
        var app = await Server.AddWebAppAsync("long-lived", Ct, client => client with
        {
            RequireConsent = false,
            AccessTokenLifetime = ClientDraft.LongestLifetime,
        });
        var tokens = await app.SignInAsync(Alice, "openid", Ct);
        var claims = Jwt.Parse(tokens.AccessToken!).Claims;
        await app.RevokeAsync(tokens.AccessToken!, Ct);

        Server.Clock.Advance(ClientDraft.LongestLifetime - TimeSpan.FromMinutes(1));
        var later = new RevocationList(Server.Services.GetRequiredService<IRevocations>(), Server.Clock);
        await later.LoadAsync(Ct);

        Assert.True(later.IsEnded(new Presented((string)claims["jti"]!)));
        Assert.False((await app.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task Signing_on_to_apps_without_a_page_keeps_the_session_from_falling_asleep()
    {
        var browser = NewBrowser();
        await App.AuthorizeAsync(browser, App.Attempt("openid"), Alice, Ct);

        for (var i = 0; i < 3; i++)
        {
            Server.Clock.Advance(TimeSpan.FromMinutes(50));
            var silent = await App.AuthorizeAsync(browser, App.Attempt("openid").With("prompt", "none"), Alice, Ct);
            Assert.Equal(200, (await App.RedeemAsync(silent, Ct)).Status);
        }
    }
}
