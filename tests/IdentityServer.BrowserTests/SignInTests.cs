using System.Globalization;
using System.Net;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.SignIn;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Person = IdentityServer.Testing.Person;

namespace IdentityServer.BrowserTests;

[Collection(HostedSite.Shared)]
public sealed class SignInTests(HostedSite site)
{
    private const string Wrong = "nobody has this password";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("en-GB", 1280, ColorScheme.Light)]
    [InlineData("en-GB", 360, ColorScheme.Dark)]
    [InlineData("zh-CN", 1280, ColorScheme.Dark)]
    [InlineData("zh-CN", 360, ColorScheme.Light)]
    public async Task The_keyboard_is_enough(string locale, int width, ColorScheme scheme)
    {
        await using var visitor = await site.OpenAsync(locale, width, scheme);
        var keyboard = visitor.Page.Keyboard;
        await visitor.ComeFromAppAsync("openid email", ("prompt", "consent"));

        await keyboard.PressAsync("Tab");
        Assert.Equal("skip", await FocusedAsync(visitor, "className"));
        await keyboard.PressAsync("Enter");
        await keyboard.PressAsync("Tab");
        Assert.Equal("username", await FocusedAsync(visitor, "id"));
        await keyboard.TypeAsync(site.Alice.UserName);
        await keyboard.PressAsync("Tab");
        await keyboard.TypeAsync(site.Alice.Password);
        await keyboard.PressAsync("Enter");

        await visitor.ReachAsync("**/consent?*");
        await visitor.PressAsync("button[value=allow]");
        var back = await visitor.WaitForAppAsync();
        Assert.Contains("code=", back.Query, StringComparison.Ordinal);
        Assert.Empty(back.Fragment);
        Assert.All(visitor.Posts, post => Assert.Equal(303, post.Status));
    }

    [Fact]
    public async Task It_works_without_script()
    {
        await using var visitor = await site.OpenAsync(options => options.JavaScriptEnabled = false);
        await visitor.ComeFromAppAsync("openid email", ("prompt", "consent"));
        Assert.False(await visitor.Page.Locator(".needs-script").IsVisibleAsync());

        var nobody = Nobody();
        await visitor.SignInAsync(nobody);
        Assert.True(await visitor.Page.Locator(".notice.bad").IsVisibleAsync());
        Assert.Equal(nobody.UserName, await visitor.Page.Locator("#username").InputValueAsync());
        Assert.Equal("", await visitor.Page.Locator("#password").InputValueAsync());

        await visitor.SignInAsync(site.Alice);
        await visitor.Page.Locator("button[value=allow]").ClickAsync();
        var back = await visitor.WaitForAppAsync();
        Assert.Contains("code=", back.Query, StringComparison.Ordinal);
        Assert.All(visitor.Posts, post => Assert.Equal(303, post.Status));
        Assert.Equal(3, visitor.Posts.Count);
    }

    [Fact]
    public async Task A_password_can_be_shown_and_is_sent_hidden()
    {
        await using var visitor = await site.OpenAsync();
        await visitor.OpenAsync("/login");
        var password = visitor.Page.Locator("#password");
        var show = visitor.Page.Locator("button[aria-controls=password]");
        await password.FillAsync("secret");

        await show.ClickAsync();
        Assert.Equal("text", await password.GetAttributeAsync("type"));
        Assert.Equal("true", await show.GetAttributeAsync("aria-pressed"));
        await show.ClickAsync();
        Assert.Equal("password", await password.GetAttributeAsync("type"));
    }

    [Fact]
    public async Task After_a_mistake_the_message_has_the_focus_and_the_title_says_so()
    {
        await using var visitor = await site.OpenAsync();
        await visitor.OpenAsync("/login");
        await visitor.SignInAsync(Nobody());

        await Assertions.Expect(visitor.Page.Locator(".notice.bad")).ToBeFocusedAsync();
        Assert.StartsWith("Error: ", await visitor.Page.TitleAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_sign_in_page_weighs_less_than_50_KB_and_asks_nobody_else()
    {
        await using var visitor = await site.OpenAsync();
        var answers = new List<IResponse>();
        visitor.Page.Response += (_, answer) => answers.Add(answer);
        await visitor.ComeFromAppAsync();
        await visitor.Page.Locator("html[data-script]").WaitForAsync();
        var weight = 0;
        foreach (var answer in answers.Where(answer => answer.Ok))
        {
            weight += (await answer.BodyAsync()).Length;
        }

        Assert.InRange(weight, 10_000, 50_000);
        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Who_is_wrong_and_why_cannot_be_told_apart()
    {
        var person = await site.Server.AddPersonAsync("lou", Ct);
        var wrongPassword = await TrySignInAsync(person with { Password = Wrong });
        var unknownName = await TrySignInAsync(Nobody());
        var tooLong = await TrySignInAsync(person with { Password = new string('x', 5000) });

        Assert.Equal(Neutral(wrongPassword), Neutral(unknownName));
        Assert.Equal(Neutral(wrongPassword), Neutral(tooLong));
        Assert.Contains("not signed in", wrongPassword.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, wrongPassword.Status);
    }

    [Fact]
    public async Task Known_and_unknown_names_wait_alike_after_five_wrong_passwords()
    {
        var person = await site.Server.AddPersonAsync("max", Ct);
        var nobody = Nobody();
        for (var attempt = 0; attempt < 5; attempt++)
        {
            await TrySignInAsync(person with { Password = Wrong });
            await TrySignInAsync(nobody);
        }

        var known = await TrySignInAsync(person);
        var unknown = await TrySignInAsync(nobody);

        Assert.Equal(Neutral(known), Neutral(unknown));
        Assert.Equal((HttpStatusCode.TooManyRequests, "30"), (known.Status, known.Header("Retry-After")));
        Assert.Contains("Wait 30 seconds", known.Text, StringComparison.Ordinal);
        site.Server.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.NotNull(await SessionAsync(person));
    }

    [Fact]
    public async Task Success_and_failure_are_audited_without_what_was_typed()
    {
        var person = await site.Server.AddPersonAsync("nia", Ct);
        await TrySignInAsync(person with { Password = Wrong });
        await TrySignInAsync(new Person("nia@nowhere.example", Wrong));
        await TrySignInAsync(person with { UserName = "NIA@example.com" });

        var events = (await site.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(3, Ct)).Reverse().ToArray();
        Assert.Equal(
            [AuditTypes.SignInFailed, AuditTypes.SignInFailed, AuditTypes.SignedIn], events.Select(audit => audit.Type));
        Assert.Equal(["wrong_password", "unknown", "ok"], events.Select(audit => audit.Outcome));
        Assert.Equal($"user:{events[2].Subject}", events[0].Actor);
        Assert.Equal("anonymous", events[1].Actor);
        Assert.All(events, audit => Assert.DoesNotContain("nia", audit.ToString(), StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task When_too_many_sign_in_at_once_one_is_told_when_to_come_again()
    {
        Page page;
        await using (await site.CrowdAsync(Ct))
        {
            page = await TrySignInAsync(site.Bob);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, page.Status);
        Assert.Equal("5", page.Header("Retry-After"));
        Assert.NotNull(page.SignInForm);
        Assert.NotNull(await SessionAsync(site.Bob));
    }

    [Fact]
    public async Task The_same_person_keeps_the_session_and_another_one_ends_it()
    {
        var browser = new Browser(site.Server.Http);
        var first = await SessionAsync(site.Alice, browser);
        var handle = browser.Cookies.All.Single(cookie => cookie.Name == "identity.session").Value;
        var login = await browser.OpenAsync(await PausedSignInAsync(browser), Ct);
        await browser.SignInAsync(login, site.Alice, Ct);
        var second = await SessionOfAsync(browser);
        login = await browser.OpenAsync(await PausedSignInAsync(browser), Ct);
        await browser.SignInAsync(login, site.Bob, Ct);
        var third = await SessionOfAsync(browser);

        Assert.Equal(first!.Id, second!.Id);
        Assert.NotEqual(first.Id, third!.Id);
        var sessions = site.Server.Services.GetRequiredService<ISessionStore>();
        Assert.Null(await sessions.FindByHandleAsync(Handle.HashOf(handle), Ct));
        Assert.NotNull((await sessions.FindAsync(first.Id, Ct))!.EndedAt);
    }

    [Theory]
    [InlineData(false, 1, 12)]
    [InlineData(true, 14 * 24, 30 * 24)]
    public async Task A_session_lives_as_long_as_the_person_chose(bool keep, int idleHours, int absoluteHours)
    {
        var browser = new Browser(site.Server.Http);
        var session = await SessionAsync(site.Bob, browser, keep);
        var cookie = browser.Cookies.All.Single(cookie => cookie.Name == "identity.session");

        Assert.Equal(TimeSpan.FromHours(idleHours), session!.IdleLifetime);
        Assert.Equal(site.Server.Clock.GetUtcNow().AddHours(absoluteHours), session.ExpiresAt);
        Assert.Equal(keep, cookie.Header.Contains("expires=", StringComparison.OrdinalIgnoreCase));
        Assert.Equal(43, cookie.Value.Length);
        Assert.Equal(["pwd"], session.Amr);
    }

    [Fact]
    public async Task Every_cookie_is_out_of_reach_of_scripts_and_other_sites()
    {
        var browser = new Browser(site.Server.Http);
        await TrySignInAsync(site.Alice with { Password = Wrong }, browser);
        await SessionAsync(site.Alice, browser, keep: true);

        Assert.Superset(
            new HashSet<string> { "identity.session", "identity.csrf", "identity.accounts" },
            browser.Cookies.All.Select(cookie => cookie.Name).ToHashSet());
        Assert.All(browser.Cookies.All, cookie =>
        {
            Assert.True(cookie.Has("HttpOnly"), cookie.Header);
            Assert.True(cookie.Has("SameSite=Lax"), cookie.Header);
            Assert.True(cookie.Has("Path=/"), cookie.Header);
        });
    }

    [Fact]
    public async Task Over_https_every_cookie_is_secure_and_for_this_host_alone()
    {
        await using var server = await ServerFixture.StartAsync(
            Ct, settings => settings["IdentityServer:Issuer"] = "https://id.example");
        var person = await server.AddPersonAsync("alice", Ct);
        var browser = new Browser(server.Http);
        var login = await browser.OpenAsync(new Uri(server.Address, "/login"), Ct);
        await browser.SignInAsync(login, person with { Password = Wrong }, Ct);
        await browser.SignInAsync(login, person, Ct);

        Assert.Contains(browser.Cookies.All, cookie => cookie.Name == "__Host-identity.session");
        Assert.All(browser.Cookies.All, cookie =>
        {
            Assert.StartsWith("__Host-identity.", cookie.Name, StringComparison.Ordinal);
            Assert.True(cookie.Has("Secure"), cookie.Header);
        });
    }

    [Fact]
    public async Task A_form_from_elsewhere_signs_nobody_in()
    {
        var page = await new Browser(site.Server.Http).PostFromElsewhereAsync(
            new Uri(site.Server.Address, "/login"),
            [new("username", site.Alice.UserName), new("password", site.Alice.Password)],
            Ct);

        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Contains("form cannot be accepted", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_login_hint_fills_in_the_name_and_is_never_markup()
    {
        await using var visitor = await site.OpenAsync();
        await visitor.ComeFromAppAsync("openid", ("login_hint", "\"><script>alert(1)</script>"));

        Assert.Equal("\"><script>alert(1)</script>", await visitor.Page.Locator("#username").InputValueAsync());
        Assert.Empty(visitor.Complaints);
    }

    private static string Neutral(Page page) =>
        page.Document.QuerySelector("main")!.TextContent + (int)page.Status + page.Header("Cache-Control");

    // Another name each time, so that tests do not make each other wait.
    private static Person Nobody() => new("nobody" + Guid.NewGuid().ToString("N"), Wrong);

    private static async Task<string> FocusedAsync(Visitor visitor, string property) =>
        await visitor.Page.EvaluateAsync<string>(
            string.Create(CultureInfo.InvariantCulture, $"document.activeElement.{property}"));

    private async Task<Page> TrySignInAsync(Person person, Browser? browser = null)
    {
        browser ??= new Browser(site.Server.Http);
        var login = await browser.OpenAsync(new Uri(site.Server.Address, "/login"), Ct);
        return await browser.SignInAsync(login, person, Ct);
    }

    private async Task<Session?> SessionAsync(Person person, Browser? browser = null, bool keep = false)
    {
        browser ??= new Browser(site.Server.Http);
        var login = await browser.OpenAsync(new Uri(site.Server.Address, "/login"), Ct);
        var answers = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["username"] = person.UserName,
            ["password"] = person.Password,
            ["keep"] = keep ? "on" : null,
        };
        await browser.SubmitAsync(login, login.SignInForm!, answers, null, Ct);
        return await SessionOfAsync(browser);
    }

    private async Task<Session?> SessionOfAsync(Browser browser) =>
        browser.Cookies.All.FirstOrDefault(cookie => cookie.Name == "identity.session") is { } cookie
            ? await site.Server.Services.GetRequiredService<ISessionStore>().FindByHandleAsync(Handle.HashOf(cookie.Value), Ct)
            : null;

    /// <summary>Where an app that wants a fresh proof sends a browser.</summary>
    private async Task<Uri> PausedSignInAsync(Browser browser)
    {
        site.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        var page = await browser.OpenAsync(
            site.App.Attempt().With("prompt", "login").At(site.Server.Provider.Authorization), Ct);
        return page.Address;
    }
}
