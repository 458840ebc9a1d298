using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>The pages of sessions and receipts, as somebody in support or an administrator meets them.</summary>
[Collection(HostedSite.Shared)]
public sealed class SessionsPageTests(HostedSite site) : IAsyncDisposable
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync() => await site.DismissAdminsAsync(Ct);

    [Fact]
    public async Task A_stolen_laptop_is_signed_out_and_its_receipt_kept()
    {
        var person = await SignedInAsync();
        await using var visitor = await EnterAsync("admin");
        var page = visitor.Page;

        await page.Locator("#person").FillAsync(person.UserName);
        await page.Locator("form.filters button[type=submit]").ClickAsync();
        await page.Locator("#sessions tbody tr a.danger").ClickAsync();
        await visitor.ReachAsync("**/admin/sessions/end?*");
        Assert.Contains(person.UserName, await page.Locator("h1").TextContentAsync(), StringComparison.Ordinal);
        await visitor.SendAsync("#reason", "  ");
        await page.Locator("#reason-error").WaitForAsync();
        Assert.StartsWith("Error:", await page.TitleAsync(), StringComparison.Ordinal);
        await page.Locator("#reason").FillAsync("laptop reported stolen, ticket 5512");
        await page.Locator("main button.danger").ClickAsync();

        await visitor.ReachAsync("**/admin/receipts/*");
        Assert.Contains("“laptop reported stolen, ticket 5512”", await page.Locator(".page-head").TextContentAsync(), StringComparison.Ordinal);
        Assert.Empty(await site.Server.Services.GetRequiredService<Storage.Sessions.ILiveSessions>().ListAsync(
            new() { Subject = await SubjectAsync(person) }, null, 1, site.Server.Clock.GetUtcNow(), Ct));
        var download = await page.RunAndWaitForDownloadAsync(() => page.Locator("a[download]").ClickAsync());
        Assert.Equal($"receipt-{new Uri(page.Url).Segments[^1]}.json", download.SuggestedFilename);
        await page.Locator(".side-nav a[href='/admin/receipts']").ClickAsync();
        await visitor.ReachAsync("**/admin/receipts");
        Assert.Contains(person.UserName, await page.Locator("#receipts tbody tr").First.TextContentAsync(), StringComparison.Ordinal);
        Assert.All(visitor.Posts, post => Assert.Equal(303, post.Status));
        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Whoever_proved_themselves_long_ago_does_so_again_and_loses_nothing()
    {
        var person = await SignedInAsync();
        var (visitor, support) = await EnterAsAsync("support", null);
        await using var _ = visitor;
        var page = visitor.Page;
        await page.Locator("#end-person").FillAsync(person.UserName);
        await page.Locator("form:has(#end-person) button").ClickAsync();
        await visitor.ReachAsync("**/admin/sessions/end?*");
        site.Server.Clock.Advance(TimeSpan.FromMinutes(20));

        await page.Locator("#reason").FillAsync("she called, and it is her");
        await page.Locator("main button.danger").ClickAsync();
        await visitor.ReachAsync("**/login?*");
        await visitor.SignInAsync(support);
        await visitor.ReachAsync("**/admin/sessions/end");
        Assert.Equal("she called, and it is her", await page.Locator("#reason").InputValueAsync());
        await page.Locator("main button.danger").ClickAsync();

        await visitor.ReachAsync("**/admin/receipts/*");
        Assert.Contains(person.UserName, await page.Locator("h1").TextContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Everything_works_by_keyboard_and_without_scripts()
    {
        var person = await SignedInAsync();
        await using var visitor = await EnterAsync("admin", options => options.JavaScriptEnabled = false);
        var page = visitor.Page;

        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#person").FocusAsync();
        await page.Keyboard.TypeAsync(person.UserName);
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#person[value]").WaitForAsync();
        await page.Locator("#sessions tbody tr a.danger").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#reason").FocusAsync();
        await page.Keyboard.TypeAsync("by keyboard");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.PressAsync("Enter");

        await page.Locator("#r-done").WaitForAsync();
        Assert.Contains(person.UserName, await page.Locator("h1").TextContentAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en-GB", "en")]
    [InlineData("zh-CN", "zh-Hans")]
    public async Task The_pages_meet_WCAG_2_2_AA(string locale, string language)
    {
        var person = await SignedInAsync(await site.AddLongNamedPersonAsync());
        await using var visitor = await EnterAsync("admin", options => options.Locale = locale);
        var page = visitor.Page;
        await CheckAsync("sessions");
        await visitor.OpenAsync($"/admin/sessions?person={person.UserName}");
        await CheckAsync("sessions of a person");
        await visitor.OpenAsync("/admin/sessions?address=203.0.113.99");
        await CheckAsync("no sessions");
        await visitor.OpenAsync("/admin/sessions?person=nobody-at-all");
        await CheckAsync("sessions of nobody");
        await visitor.OpenAsync("/admin/sessions/end?person=nobody-at-all");
        await CheckAsync("end, refused on the page of sessions");
        foreach (var query in new[] { "client=northwind-orders", "before=2020-01-01T00:00", "all=true", $"person={person.UserName}" })
        {
            await visitor.OpenAsync("/admin/sessions/end?" + query);
            await CheckAsync("end, " + query);
            await visitor.SendAsync("#reason", "");
            await CheckAsync("end, refused, " + query);
        }

        await page.Locator("#reason").FillAsync(string.Concat(Enumerable.Repeat("Llanfairpwll", 16)));
        await page.Locator("main button.danger").ClickAsync();
        await visitor.ReachAsync("**/admin/receipts/*");
        await CheckAsync("receipt");
        await visitor.OpenAsync("/admin/receipts");
        await CheckAsync("receipts");
        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);

        Task CheckAsync(string name) => AccessibilityTests.CheckAsync(visitor, name, language);
    }

    [Fact]
    public async Task A_page_keeps_its_filter_in_another_language()
    {
        var person = await SignedInAsync();
        await using var visitor = await EnterAsync("admin");
        await visitor.OpenAsync($"/admin/sessions?person={person.UserName}");

        await visitor.Page.Locator(".whoami a[lang=zh-Hans]").ClickAsync();
        await visitor.ReachAsync("**ui_locales=zh-Hans");

        Assert.Equal(person.UserName, await visitor.Page.Locator("#person").InputValueAsync());
        await visitor.Page.Locator("#sessions tbody tr a.danger").ClickAsync();
        await visitor.ReachAsync("**/admin/sessions/end?*ui_locales=zh-Hans");
        Assert.Equal("zh-Hans", await visitor.Page.Locator("html").GetAttributeAsync("lang"));
    }

    private async Task<Visitor> EnterAsync(string role, Action<BrowserNewContextOptions>? change = null) => (await EnterAsAsync(role, change)).Visitor;

    private async Task<(Visitor Visitor, Person Person)> EnterAsAsync(string role, Action<BrowserNewContextOptions>? change)
    {
        var person = await site.Server.GiveAppAsync(await site.Server.AddPersonAsync("r" + Guid.NewGuid().ToString("N"), Ct, role), Ct);
        var visitor = await site.OpenAsync(change);
        await visitor.OpenAsync("/admin/sessions");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/admin/sessions");
        return (visitor, person);
    }

    /// <summary>Somebody who is signed in somewhere else.</summary>
    private async Task<Person> SignedInAsync(Person? person = null)
    {
        person ??= await site.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct);
        await using var elsewhere = await site.OpenAsync();
        await elsewhere.ComeFromAppAsync("openid profile orders.write offline_access");
        await elsewhere.SignInAsync(person);
        await elsewhere.Page.Locator("button[value=allow]").ClickAsync();
        await elsewhere.WaitForAppAsync();
        return person;
    }

    private async Task<string> SubjectAsync(Person person) =>
        (await site.Server.Services.GetRequiredService<Storage.Users.ICredentials>().FindAsync(person.UserName, Ct))!.User.Id;
}
