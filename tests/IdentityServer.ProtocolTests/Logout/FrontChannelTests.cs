using AngleSharp.Dom;
using IdentityServer.Protocol.Clients;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Logout;

/// <summary>A server with apps that are told of sign-outs by the browser.</summary>
public sealed class FrontChannelServer : AppServer
{
    /// <summary>Its address for logout is at <c>https://front.example</c>, with a query of its own.</summary>
    public RelyingParty Front { get; private set; } = null!;

    /// <summary>At <c>https://second.example:8443</c>.</summary>
    public RelyingParty Second { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Front = await AddAsync("front", "https://front.example", "https://front.example/out?tenant=1");
        Second = await AddAsync("second", "https://second.example:8443", "https://second.example:8443/out");
    }

    private Task<RelyingParty> AddAsync(string id, string origin, string frontChannel) => Server.AddWebAppAsync(
        id,
        TestContext.Current.CancellationToken,
        client => client with
        {
            RequireConsent = false,
            RedirectUris = [$"{origin}/callback"],
            PostLogoutRedirectUris = [$"{origin}/bye"],
            FrontChannelLogoutUri = frontChannel,
        });
}

public sealed class FrontChannelTests(FrontChannelServer apps) : IClassFixture<FrontChannelServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_loads_the_apps_of_the_session_and_goes_on_to_the_one_that_asked()
    {
        var (browser, token) = await VisitAsync(apps.Front, apps.App, apps.Second);

        var page = await browser.OpenAsync(
            apps.Front.EndSessionAddress(
                ("id_token_hint", token.Text), ("post_logout_redirect_uri", apps.Front.PostLogoutRedirectUri), ("state", "s 1&2")),
            Ct);

        Assert.Equal("/signed-out", page.Address.AbsolutePath);
        var issuer = Uri.EscapeDataString(apps.Server.Provider.Issuer);
        Assert.Equal(
            [
                $"https://front.example/out?tenant=1&iss={issuer}&sid={token["sid"]}",
                $"https://second.example:8443/out?iss={issuer}&sid={token["sid"]}",
            ],
            FramesOf(page).Select(frame => frame.GetAttribute("src")));
        Assert.All(FramesOf(page), frame =>
        {
            Assert.True(frame.HasAttribute("hidden"));
            Assert.DoesNotContain("top-navigation", frame.GetAttribute("sandbox"), StringComparison.Ordinal);
        });
        Assert.Equal("frame-src https://front.example https://second.example:8443", FrameRuleOf(page));

        var onward = page.Document.QuerySelector("a[data-onward=True]")!;
        var back = await browser.OpenAsync(new Uri(apps.Server.Address, onward.GetAttribute("href")), Ct);
        Assert.Equal(apps.Front.PostLogoutRedirectUri + "?state=s%201%262", back.Location?.OriginalString);

        // Once: whoever comes back is told that nothing is left.
        var again = await browser.OpenAsync(new Uri(apps.Server.Address, "/signed-out"), Ct);
        Assert.Empty(FramesOf(again));
        Assert.Null(FrameRuleOf(again));
    }

    [Fact]
    public async Task Whoever_signs_out_at_this_server_stays_and_the_apps_are_loaded_too()
    {
        var (browser, token) = await VisitAsync(apps.Second);

        var page = await ConfirmAsync(browser, await browser.OpenAsync(new Uri(apps.Server.Address, "/logout"), Ct));

        Assert.Equal("/signed-out", page.Address.AbsolutePath);
        Assert.Contains(token["sid"]!, Assert.Single(FramesOf(page)).GetAttribute("src"), StringComparison.Ordinal);
        Assert.Null(page.Document.QuerySelector("[data-onward]"));
        Assert.DoesNotContain(browser.Cookies.All, cookie => cookie.Name.Contains("session", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_app_without_proof_gets_the_person_back_after_the_question_and_the_frames()
    {
        var (browser, _) = await VisitAsync(apps.Front);
        var question = await browser.OpenAsync(
            apps.Front.EndSessionAddress(("client_id", "front"), ("post_logout_redirect_uri", apps.Front.PostLogoutRedirectUri)), Ct);
        Assert.Empty(FramesOf(question));

        var page = await ConfirmAsync(browser, question);

        Assert.Single(FramesOf(page));
        var onward = page.Document.QuerySelector("a[data-onward=True]")!;
        var back = await browser.OpenAsync(new Uri(apps.Server.Address, onward.GetAttribute("href")), Ct);
        Assert.Equal(apps.Front.PostLogoutRedirectUri, back.Location?.OriginalString);
    }

    [Fact]
    public async Task Without_such_apps_nothing_is_loaded_and_nobody_waits()
    {
        var (browser, token) = await VisitAsync(apps.App);

        var page = await browser.OpenAsync(
            apps.App.EndSessionAddress(("id_token_hint", token.Text), ("post_logout_redirect_uri", apps.App.PostLogoutRedirectUri)), Ct);

        Assert.Equal(apps.App.PostLogoutRedirectUri, page.Location?.OriginalString);
        Assert.Empty(FramesOf(await browser.OpenAsync(new Uri(apps.Server.Address, "/signed-out"), Ct)));
    }

    [Fact]
    public async Task A_stranger_who_knows_the_address_of_the_page_learns_nothing()
    {
        var (browser, token) = await VisitAsync(apps.Front);
        var page = await browser.OpenAsync(
            apps.Front.EndSessionAddress(
                ("id_token_hint", token.Text), ("post_logout_redirect_uri", apps.Front.PostLogoutRedirectUri), ("sid", token["sid"]!)),
            Ct);

        var stranger = await new Browser(apps.Server.Http).OpenAsync(page.Address, Ct);

        Assert.Empty(FramesOf(stranger));
        Assert.DoesNotContain(token["sid"]!, stranger.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sign_out_ends_this_browser_alone_unless_everywhere_was_asked_for(bool everywhere)
    {
        var person = await apps.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct);
        var elsewhere = new Browser(apps.Server.Http);
        var tokens = await apps.App.ExchangeAsync(
            await apps.App.AuthorizeAsync(elsewhere, apps.App.Attempt("openid offline_access"), person, Ct), Ct);
        var here = new Browser(apps.Server.Http);
        await apps.App.AuthorizeAsync(here, apps.App.Attempt(), person, Ct);

        var question = await here.OpenAsync(new Uri(apps.Server.Address, "/logout"), Ct);
        await ConfirmAsync(here, question, everywhere ? ("everywhere", "yes") : null);

        var silent = await apps.App.AuthorizeAsync(here, apps.App.Attempt().With("prompt", "none"), null, Ct);
        Assert.Equal("login_required", silent.Answered.Error);
        var there = await apps.App.AuthorizeAsync(elsewhere, apps.App.Attempt().With("prompt", "none"), null, Ct);
        Assert.Equal(everywhere, there.Answer?.Error == "login_required");
        Assert.Equal(!everywhere, (await apps.App.RefreshAsync(tokens.RefreshToken!, Ct)).Succeeded);
    }

    [Fact]
    public void What_is_loaded_is_where_the_app_is() => Assert.All(
        new[] { "https://front.example/out?tenant=1", "https://second.example:8443/out" },
        uri => Assert.Null(RedirectUriRules.FrontChannelFault(uri, ["https://front.example/callback", "https://second.example:8443/callback"])));

    private async Task<(Browser Browser, Jwt IdToken)> VisitAsync(params RelyingParty[] visited)
    {
        var browser = new Browser(apps.Server.Http);
        Jwt? token = null;
        foreach (var app in visited)
        {
            var tokens = await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt(), apps.Alice, Ct), Ct);
            token ??= tokens.IdToken;
        }

        return (browser, token!);
    }

    private static async Task<Page> ConfirmAsync(Browser browser, Page question, (string Name, string Value)? answer = null)
    {
        var form = question.Forms.First(form => Browser.Buttons(form).Any(button => button.GetAttribute("name") == "answer"));
        var answers = answer is { } given
            ? new Dictionary<string, string?> { [given.Name] = given.Value }
            : new Dictionary<string, string?>();
        return await browser.SubmitAsync(question, form, answers, Browser.Buttons(form).First(), Ct);
    }

    private static IEnumerable<IElement> FramesOf(Page page) => page.Document.QuerySelectorAll("iframe");

    private static string? FrameRuleOf(Page page) => page.Header("Content-Security-Policy")!
        .Split(';', StringSplitOptions.TrimEntries).SingleOrDefault(rule => rule.StartsWith("frame-src", StringComparison.Ordinal));
}
