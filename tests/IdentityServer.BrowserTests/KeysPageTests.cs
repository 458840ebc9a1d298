using System.Globalization;
using System.Net;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>The page of the signing keys, as an operator meets it.</summary>
[Collection(HostedSite.Shared)]
public sealed class KeysPageTests(HostedSite site)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private DateTimeOffset Now => site.Server.Clock.GetUtcNow();

    [Fact]
    public async Task A_rollover_is_refused_scheduled_moved_and_cancelled()
    {
        await ClearAsync("ES256");
        await using var visitor = await EnterAsync();
        var page = visitor.Page;

        await ScheduleAsync(page, "ES256", Now.AddHours(3));
        var error = page.Locator("#from-error");
        await error.WaitForAsync();
        Assert.Contains("Choose", await error.TextContentAsync(), StringComparison.Ordinal);
        Assert.Contains((Now + TimeSpan.FromHours(24)).ToString("d MMM", CultureInfo.InvariantCulture), await error.TextContentAsync(), StringComparison.Ordinal);
        Assert.Equal(Field(Now.AddHours(3)), await page.Locator("#from").InputValueAsync());
        Assert.Equal("true", await page.Locator("#from").GetAttributeAsync("aria-invalid"));
        Assert.StartsWith("Error:", await page.TitleAsync(), StringComparison.Ordinal);
        Assert.Null(await PendingAsync("ES256"));

        await ScheduleAsync(page, "ES256", Now.AddHours(30));
        await page.Locator("[role=status]").WaitForAsync();
        var pending = (await PendingAsync("ES256"))!;
        Assert.Contains(pending.Kid, await page.Locator("[role=status]").TextContentAsync(), StringComparison.Ordinal);
        Assert.Equal(1, await page.Locator("#ready-ES256").CountAsync());

        await page.Locator("details:has(#move-ES256) > summary").ClickAsync();
        await page.Locator("#move-ES256").FillAsync(Field(Now.AddHours(2)));
        await page.Locator("form:has(#move-ES256) button[value=move]").ClickAsync();
        await page.Locator("#move-ES256-error").WaitForAsync();
        await page.Locator("#move-ES256").FillAsync(Field(Now.AddDays(4)));
        await page.Locator("form:has(#move-ES256) button[value=move]").ClickAsync();
        await page.Locator("[role=status]").WaitForAsync();
        Assert.Equal(Field(Now.AddDays(4)), Field((await PendingAsync("ES256"))!.At));

        await page.Locator("form:has(input[value=ES256]) button[value=cancel]").ClickAsync();
        await page.Locator("[role=status]").WaitForAsync();
        Assert.Null(await PendingAsync("ES256"));
        Assert.All(visitor.Posts, post => Assert.Equal(303, post.Status));
        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task A_rollover_that_happened_is_undone()
    {
        await ClearAsync("RS256");
        var first = await SigningAsync("RS256");
        await Rollover.ScheduleAsync("RS256", Now.AddHours(24), force: false, "test", Ct);
        site.Server.Clock.Advance(TimeSpan.FromHours(25));
        Assert.NotEqual(first, await SigningAsync("RS256"));

        await using var visitor = await EnterAsync();
        await visitor.Page.Locator("form:has(input[value=RS256]) button[value=undo]").ClickAsync();
        await visitor.Page.Locator("[role=status]").WaitForAsync();

        Assert.Equal(first, await SigningAsync("RS256"));
        var audit = (await site.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(5, Ct)).First(entry => entry.Type == AuditTypes.KeyUndone);
        Assert.StartsWith("user:", audit.Actor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_proved_themselves_long_ago_does_so_again_and_loses_nothing()
    {
        await ClearAsync("PS256");
        await using var visitor = await EnterAsync();
        var page = visitor.Page;
        site.Server.Clock.Advance(TimeSpan.FromMinutes(20));

        var at = Now.AddDays(3);
        await ScheduleAsync(page, "PS256", at);
        await visitor.ReachAsync("**/login?*");
        Assert.Null(await PendingAsync("PS256"));
        await visitor.SignInAsync(site.Opal);
        await visitor.ReachAsync("**/admin/keys");
        Assert.Null(await PendingAsync("PS256"));
        await page.Locator(".notice button[value=schedule]").ClickAsync();
        await page.Locator("[role=status]").WaitForAsync();

        Assert.Equal(Field(at), Field((await PendingAsync("PS256"))!.At));
        await ClearAsync("PS256");
    }

    [Fact]
    public async Task A_rollover_that_waits_for_a_client_is_let_go()
    {
        await ClearAsync("PS256");
        await site.Server.AddWebAppAsync("slow-app", Ct, client => client with { RequireReadiness = true });
        await Rollover.ScheduleAsync("PS256", Now.AddHours(24), force: false, "test", Ct);
        var waiting = (await PendingAsync("PS256"))!.Kid;
        await using (var early = await EnterAsync())
        {
            Assert.Contains("Waits for slow-app", await early.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
            Assert.Equal(0, await early.Page.Locator("[aria-labelledby=ready-PS256] button[value=activate]").CountAsync());
        }

        site.Server.Clock.Advance(TimeSpan.FromHours(25));
        Assert.NotEqual(waiting, await SigningAsync("PS256"));
        await using var visitor = await EnterAsync();
        await visitor.Page.Locator("[aria-labelledby=ready-PS256] button[value=activate]").ClickAsync();
        await visitor.Page.Locator("[role=status]").WaitForAsync();

        Assert.Equal(waiting, await SigningAsync("PS256"));
        Assert.True(await site.Server.RemoveClientAsync("slow-app", Ct));
    }

    [Fact]
    public async Task A_stolen_key_is_named_in_full_before_it_ends()
    {
        await ClearAsync("ES384");
        var stolen = await SigningAsync("ES384");
        await using var visitor = await EnterAsync();
        var page = visitor.Page;

        await page.Locator(".danger-zone > summary").ClickAsync();
        await page.Locator("#kid").FillAsync(stolen[..9]);
        await page.Locator("#reason").FillAsync("a drill");
        await page.Locator("button[value=compromise]").ClickAsync();
        await page.Locator("#kid-error").WaitForAsync();
        Assert.Equal("a drill", await page.Locator("#reason").InputValueAsync());
        Assert.Equal(stolen, await SigningAsync("ES384"));

        await page.Locator("#kid").FillAsync(stolen);
        await page.Locator("button[value=compromise]").ClickAsync();
        await page.Locator("[role=status]").WaitForAsync();
        Assert.NotEqual(stolen, await SigningAsync("ES384"));
        Assert.DoesNotContain(stolen, (await site.Server.FetchAsync("/.well-known/jwks.json", Ct)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plan_is_changed_and_what_is_not_understood_comes_back()
    {
        await using var visitor = await EnterAsync();
        var page = visitor.Page;

        await page.Locator("#cron").FillAsync("every monday");
        await page.Locator("button[value=plan]").ClickAsync();
        await page.Locator("#cron-error").WaitForAsync();
        Assert.Equal("every monday", await page.Locator("#cron").InputValueAsync());

        await page.Locator("#cron").FillAsync("0 9 1 */2 *");
        await page.Locator("#zone").FillAsync("Europe/Berlin");
        await page.Locator("button[value=plan]").ClickAsync();
        await page.Locator("[role=status]").WaitForAsync();
        Assert.Contains("0 9 1 */2 * in Europe/Berlin", await page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);

        await page.Locator("#days").FillAsync("90");
        await page.Locator("button[value=plan]").ClickAsync();
        await page.Locator("[role=status]").WaitForAsync();
        Assert.Contains("every 90 d", await page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_works_by_keyboard_and_without_scripts()
    {
        await ClearAsync("ES256");
        await using var visitor = await EnterAsync(options => options.JavaScriptEnabled = false);
        var page = visitor.Page;

        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#from").FillAsync(Field(Now.AddDays(2)));
        await page.Locator("#force").FocusAsync();
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("[role=status]").WaitForAsync();
        Assert.NotNull(await PendingAsync("ES256"));

        await page.Locator("details:has(#move-ES256) > summary").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        Assert.True(await page.Locator("#move-ES256").IsVisibleAsync());
        await page.Locator("form:has(input[value=ES256]) button[value=cancel]").FocusAsync();
        await page.Keyboard.PressAsync("Space");
        await page.Locator("[role=status]").WaitForAsync();
        Assert.Null(await PendingAsync("ES256"));
    }

    [Theory]
    [InlineData("en-GB", "en")]
    [InlineData("zh-CN", "zh-Hans")]
    public async Task The_page_meets_WCAG_2_2_AA(string locale, string language)
    {
        await ClearAsync("ES256");
        await using var visitor = await EnterAsync(options => options.Locale = locale);
        await ScheduleAsync(visitor.Page, "ES256", Now.AddHours(1));
        await visitor.Page.Locator("#from-error").WaitForAsync();
        await AccessibilityTests.CheckAsync(visitor, "keys, refused", language);

        await ScheduleAsync(visitor.Page, "ES256", Now.AddHours(30));
        await visitor.Page.Locator("[role=status]").WaitForAsync();
        foreach (var summary in await visitor.Page.Locator("summary").AllAsync())
        {
            await summary.ClickAsync();
        }

        await AccessibilityTests.CheckAsync(visitor, "keys", language);
        foreach (var span in (string[])["3m", "1y"])
        {
            await visitor.OpenAsync($"/admin/keys?span={span}");
            await AccessibilityTests.CheckAsync(visitor, $"keys, {span}", language);
        }

        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
        await ClearAsync("ES256");
    }

    [Fact]
    public async Task Nobody_comes_in_without_the_role()
    {
        var browser = new Browser(site.Server.Http);
        var login = await browser.OpenAsync(new Uri(site.Server.Address, "/admin"), Ct);
        Assert.Equal("/login", login.Address.AbsolutePath);

        var page = await browser.SignInAsync(login, site.Alice, Ct);

        Assert.Equal((HttpStatusCode.Forbidden, "/admin/keys"), (page.Status, page.Address.AbsolutePath));
        Assert.Contains("This page is not for you", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(await SigningAsync("ES256"), page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_from_elsewhere_changes_nothing()
    {
        await ClearAsync("ES256");
        var browser = new Browser(site.Server.Http);
        var person = site.Opal;
        await browser.SignInAsync(await browser.OpenAsync(new Uri(site.Server.Address, "/login?to=console"), Ct), person, Ct);
        var answer = await browser.PostFromElsewhereAsync(
            new Uri(site.Server.Address, "/admin/keys"), [new("do", "schedule"), new("alg", "ES256"), new("from", Field(Now.AddDays(2)))], Ct);

        Assert.NotEqual(HttpStatusCode.OK, answer.Status);
        Assert.Null(await PendingAsync("ES256"));
    }

    [Theory]
    [InlineData("/login?to=https://evil.example")]
    [InlineData("/login?to=//evil.example")]
    [InlineData("/login?to=/admin/keys")]
    [InlineData("/login?to=console&to=console")]
    public async Task A_sign_in_leads_to_no_address_that_was_sent(string path)
    {
        var browser = new Browser(site.Server.Http);
        var page = await browser.SignInAsync(await browser.OpenAsync(new Uri(site.Server.Address, path), Ct), site.Alice, Ct);

        Assert.Equal(site.Issuer + "/", page.Address.GetLeftPart(UriPartial.Path));
    }

    private KeyRollover Rollover => site.Server.Services.GetRequiredService<KeyRollover>();

    private async Task<Visitor> EnterAsync(Action<BrowserNewContextOptions>? change = null)
    {
        var visitor = await site.OpenAsync(change);
        await visitor.OpenAsync("/admin");
        await visitor.SignInAsync(site.Opal);
        await visitor.ReachAsync("**/admin/keys");
        return visitor;
    }

    private static async Task ScheduleAsync(IPage page, string algorithm, DateTimeOffset at)
    {
        await page.Locator("#alg").SelectOptionAsync(algorithm);
        await page.Locator("#from").FillAsync(Field(at));
        await page.Locator("button[value=schedule]").Last.ClickAsync();
    }

    private async Task<KeyActivation?> PendingAsync(string algorithm) => (await RowsAsync()).TimelineOf(algorithm, Policy).PendingAt(Now);

    private async Task<string> SigningAsync(string algorithm) => (await RowsAsync()).TimelineOf(algorithm, Policy).SigningAt(Now)!.Kid;

    private KeyPolicy Policy => site.Server.Services.GetRequiredService<KeyPolicy>();

    private async Task<KeyRows> RowsAsync() => await site.Server.Services.GetRequiredService<IKeyStore>().LoadAsync(Ct);

    private async Task ClearAsync(string algorithm) => await Rollover.CancelAsync(algorithm, "test", Ct);

    private static string Field(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture);
}
