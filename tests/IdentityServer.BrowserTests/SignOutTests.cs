using System.Net;
using IdentityServer.Testing;

namespace IdentityServer.BrowserTests;

[Collection(HostedSite.Shared)]
public sealed class SignOutTests(HostedSite site)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_app_without_proof_makes_us_ask_and_gets_the_person_back()
    {
        var person = await site.Server.AddPersonAsync("olga", Ct);
        await using var visitor = await site.OpenAsync();
        await visitor.ComeFromAppAsync("openid");
        await visitor.SignInAsync(person);
        await visitor.Page.Locator("button[value=allow]").ClickAsync();
        await visitor.WaitForAppAsync();

        var address = site.App.EndSessionAddress(
            new("client_id", site.App.ClientId), new("post_logout_redirect_uri", site.App.PostLogoutRedirectUri), new("state", "s 1"));
        await visitor.Page.GotoAsync(address.AbsoluteUri);
        Assert.Contains("/logout?handle=", visitor.Page.Url, StringComparison.Ordinal);
        Assert.Contains("Northwind Orders", await visitor.Page.Locator(".panel").TextContentAsync(), StringComparison.Ordinal);
        await visitor.Page.Locator("form button").ClickAsync();
        var back = await visitor.WaitForAppAsync();

        Assert.Equal(site.AppOrigin + "/signed-out?state=s%201", back.AbsoluteUri);
        await visitor.OpenAsync("/");
        Assert.True(await visitor.Page.GetByText("Nobody is signed in").IsVisibleAsync());
    }

    [Fact]
    public async Task The_browser_loads_the_app_in_a_frame_nobody_sees_and_goes_on_by_itself()
    {
        var person = await site.Server.AddPersonAsync("otto", Ct);
        var app = await site.Server.AddWebAppAsync("framed", Ct, client => client with
        {
            RequireConsent = false,
            RedirectUris = [site.AppOrigin + "/callback"],
            PostLogoutRedirectUris = [site.AppOrigin + "/bye"],
            FrontChannelLogoutUri = site.AppOrigin + "/front-channel",
        });
        await using var visitor = await site.OpenAsync();
        await visitor.Page.GotoAsync(app.Attempt().At(site.Server.Provider.Authorization).AbsoluteUri);
        await visitor.SignInAsync(person);
        await visitor.WaitForAppAsync();
        var loaded = visitor.Page.WaitForRequestAsync(
            request => request.Url.StartsWith(site.AppOrigin + "/front-channel?iss=", StringComparison.Ordinal));

        await visitor.Page.GotoAsync(
            app.EndSessionAddress(("client_id", app.ClientId), ("post_logout_redirect_uri", app.PostLogoutRedirectUri)).AbsoluteUri);
        await visitor.Page.Locator("form button").ClickAsync();

        var request = await loaded;
        Assert.NotEqual(visitor.Page.MainFrame, request.Frame);
        Assert.Contains("&sid=", request.Url, StringComparison.Ordinal);
        await visitor.ReachAsync(site.AppOrigin + "/bye");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task An_app_whose_name_has_no_place_to_break_fits_a_narrow_screen()
    {
        var person = await site.AddLongNamedPersonAsync();
        var app = await site.Server.AddWebAppAsync("long-named", Ct, client => client with
        {
            Name = string.Concat(Enumerable.Repeat("Llanfair", 7)),
            RequireConsent = false,
            RedirectUris = [site.AppOrigin + "/callback"],
        });
        await using var visitor = await site.OpenAsync("en-GB", 320, Microsoft.Playwright.ColorScheme.Light);
        await visitor.Page.GotoAsync(app.Attempt().At(site.Server.Provider.Authorization).AbsoluteUri);
        await visitor.SignInAsync(person);
        await visitor.WaitForAppAsync();

        await visitor.Page.GotoAsync(app.EndSessionAddress(("client_id", app.ClientId)).AbsoluteUri);
        await AccessibilityTests.CheckAsync(visitor, "leaving an app with a long name", "en");
        await visitor.Page.Locator("#reach-app").CheckAsync();
        await visitor.Page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/signed-out?*");
        await AccessibilityTests.CheckAsync(visitor, "having left it", "en");
    }

    [Fact]
    public async Task Nothing_ends_before_the_person_says_so()
    {
        var browser = new Browser(site.Server.Http);
        var login = await browser.OpenAsync(new Uri(site.Server.Address, "/login"), Ct);
        await browser.SignInAsync(login, site.Bob, Ct);

        await browser.OpenAsync(new Uri(site.Server.Address, "/logout"), Ct);
        await browser.PostFromElsewhereAsync(new Uri(site.Server.Address, "/logout"), [], Ct);
        var home = await browser.OpenAsync(site.Server.Address, Ct);
        Assert.Contains("You are signed in, Bob Example", home.Text, StringComparison.Ordinal);

        // A page that says "signed out" must not lie.
        var untrue = await browser.OpenAsync(new Uri(site.Server.Address, "/signed-out"), Ct);
        Assert.Equal("/", untrue.Address.AbsolutePath);
    }

    [Fact]
    public async Task Whoever_is_signed_out_already_is_told_so()
    {
        var page = await new Browser(site.Server.Http).OpenAsync(new Uri(site.Server.Address, "/logout"), Ct);

        Assert.Equal("/signed-out", page.Address.AbsolutePath);
        Assert.Equal(HttpStatusCode.OK, page.Status);
    }
}
