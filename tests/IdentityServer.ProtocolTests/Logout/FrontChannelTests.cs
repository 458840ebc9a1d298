using AngleSharp.Dom;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Pending;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

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
        await ConfirmAsync(here, question, everywhere ? ("reach", "everywhere") : null);

        var silent = await apps.App.AuthorizeAsync(here, apps.App.Attempt().With("prompt", "none"), null, Ct);
        Assert.Equal("login_required", silent.Answered.Error);
        var there = await apps.App.AuthorizeAsync(elsewhere, apps.App.Attempt().With("prompt", "none"), null, Ct);
        Assert.Equal(everywhere, there.Answer?.Error == "login_required");
        Assert.Equal(!everywhere, (await apps.App.RefreshAsync(tokens.RefreshToken!, Ct)).Succeeded);
    }

    [Fact]
    public async Task Whoever_leaves_one_app_stays_signed_in_and_only_that_one_is_loaded()
    {
        var (browser, _) = await VisitAsync(apps.Front, apps.App, apps.Second);
        var address = apps.Front.EndSessionAddress(
            ("client_id", "front"), ("post_logout_redirect_uri", apps.Front.PostLogoutRedirectUri), ("state", "s 1"));

        var page = await ConfirmAsync(browser, await browser.OpenAsync(address, Ct), ("reach", "app"));

        Assert.Equal("/signed-out", page.Address.AbsolutePath);
        Assert.Contains("You are signed out of The app front", page.Text, StringComparison.Ordinal);
        Assert.StartsWith("https://front.example/out?", Assert.Single(FramesOf(page)).GetAttribute("src"), StringComparison.Ordinal);
        var onward = page.Document.QuerySelector("a[data-onward=True]")!;
        var back = await browser.OpenAsync(new Uri(apps.Server.Address, onward.GetAttribute("href")), Ct);
        Assert.Equal(apps.Front.PostLogoutRedirectUri + "?state=s%201", back.Location?.OriginalString);

        Assert.True((await apps.App.AuthorizeAsync(browser, apps.App.Attempt().With("prompt", "none"), null, Ct)).Answered.Code is not null);
        Assert.Equal("/logout", (await browser.OpenAsync(address, Ct)).Address.AbsolutePath);
    }

    [Fact]
    public async Task Whoever_leaves_an_app_that_says_no_address_is_told_and_can_leave_the_rest()
    {
        var (browser, _) = await VisitAsync(apps.App, apps.OtherApp);

        var page = await ConfirmAsync(browser, await browser.OpenAsync(apps.App.EndSessionAddress(("client_id", apps.App.ClientId)), Ct), ("reach", "app"));

        Assert.Contains("You are still signed in", page.Text, StringComparison.Ordinal);
        Assert.Empty(FramesOf(page));
        var rest = page.Document.QuerySelectorAll("a.button").Single(link => link.TextContent == "Sign out altogether");
        page = await ConfirmAsync(browser, await browser.OpenAsync(new Uri(apps.Server.Address, rest.GetAttribute("href")), Ct));
        Assert.Contains("You are signed out", page.Text, StringComparison.Ordinal);
        Assert.Equal("login_required", (await apps.App.AuthorizeAsync(browser, apps.App.Attempt().With("prompt", "none"), null, Ct)).Answered.Error);
    }

    [Fact]
    public async Task What_somebody_left_in_their_session_says_nothing_of_another()
    {
        var (browser, _) = await VisitAsync(apps.Front);
        var page = await ConfirmAsync(browser, await browser.OpenAsync(apps.Front.EndSessionAddress(("client_id", "front")), Ct), ("reach", "app"));
        var (other, _) = await VisitAsync(apps.Front);

        // Mallory sends Alice where Mallory has been.
        var home = await other.OpenAsync(page.Address, Ct);
        Assert.Equal("/", home.Address.AbsolutePath);
        var asked = await other.OpenAsync(new Uri(apps.Server.Address, $"/connect/endsession/resume{page.Address.Query}&told=yes"), Ct);
        Assert.Equal("/logout", asked.Address.AbsolutePath);
        Assert.Empty(FramesOf(asked));
    }

    [Fact]
    public async Task Whoever_answered_a_consent_page_has_left_no_app()
    {
        var (browser, token) = await VisitAsync(apps.Front);
        var pending = apps.Server.Services.GetRequiredService<PendingRequests>();
        var attempt = new Parameters(new Dictionary<string, string> { ["client_id"] = "front", ["response_type"] = "code" });
        var handle = await pending.SaveAsync(attempt, "front", apps.Server.Clock.GetUtcNow(), Ct);
        await pending.AnswerAsync((await pending.FindAsync(handle, Ct))!, token["sid"]!, [], Ct);

        var asked = await browser.OpenAsync(new Uri(apps.Server.Address, $"/connect/endsession/resume?handle={handle}"), Ct);
        Assert.Equal("/logout", asked.Address.AbsolutePath);
        var home = await browser.OpenAsync(new Uri(apps.Server.Address, $"/signed-out?handle={handle}"), Ct);
        Assert.Equal("/", home.Address.AbsolutePath);
        Assert.Empty(FramesOf(home));
    }

    [Theory]
    [InlineData("app", null)]
    [InlineData("app", "other-app")]
    [InlineData("app", "nobody")]
    [InlineData("nonsense", "app")]
    [InlineData("", "app")]
    public async Task What_cannot_be_left_alone_is_left_with_the_browser(string reach, string? clientId)
    {
        var (browser, _) = await VisitAsync(apps.App);
        var question = await browser.OpenAsync(
            clientId is null ? new Uri(apps.Server.Address, "/logout") : apps.App.EndSessionAddress(("client_id", clientId)), Ct);
        if (clientId == "nobody")
        {
            Assert.Equal(System.Net.HttpStatusCode.BadRequest, question.Status);
            return;
        }

        Assert.Equal(clientId == "app", question.Document.GetElementById("reach-app") is not null);
        await ConfirmAsync(browser, question, ("reach", reach));

        Assert.Equal("login_required", (await apps.App.AuthorizeAsync(browser, apps.App.Attempt().With("prompt", "none"), null, Ct)).Answered.Error);
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
