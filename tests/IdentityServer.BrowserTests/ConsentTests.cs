using System.Web;
using IdentityServer.Protocol.Audit;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.BrowserTests;

[Collection(HostedSite.Shared)]
public sealed class ConsentTests(HostedSite site)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_unticked_is_not_given_and_what_was_allowed_is_not_asked_again()
    {
        var person = await site.Server.AddPersonAsync("carol", Ct);
        await using var visitor = await site.OpenAsync();
        await visitor.ComeFromAppAsync("openid profile email orders.write");
        await visitor.SignInAsync(person);
        await visitor.Page.GetByLabel("Place and cancel orders").UncheckAsync();
        Assert.True(await visitor.Page.GetByLabel("That you are you").IsDisabledAsync());
        Assert.True(await visitor.Page.GetByText("carol@example.com").IsVisibleAsync());
        await visitor.Page.Locator("button[value=allow]").ClickAsync();
        var back = await visitor.WaitForAppAsync();
        Assert.Contains("code=", back.Query, StringComparison.Ordinal);

        await visitor.ComeFromAppAsync("openid profile email");
        Assert.StartsWith(site.AppOrigin, visitor.Page.Url, StringComparison.Ordinal);
        await visitor.ComeFromAppAsync("openid orders.write");
        Assert.Contains("/consent?", visitor.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_goes_back_to_the_app_and_into_the_audit_log()
    {
        var person = await site.Server.AddPersonAsync("dora", Ct);
        await using var visitor = await site.OpenAsync();
        await visitor.ComeFromAppAsync("openid email");
        await visitor.SignInAsync(person);
        await visitor.Page.Locator("button[value=deny]").ClickAsync();
        var back = await visitor.WaitForAppAsync();

        Assert.Equal("access_denied", HttpUtility.ParseQueryString(back.Query)["error"]);
        var latest = await site.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(3, Ct);
        Assert.Contains(latest, audit => audit is { Type: AuditTypes.ConsentRefused, ClientId: "northwind-orders" });
    }

    [Fact]
    public async Task Both_answers_are_the_same_size()
    {
        await using var visitor = await site.OpenAsync();
        await visitor.ComeFromAppAsync("openid email", ("prompt", "consent"));
        await visitor.SignInAsync(site.Alice);
        var allow = await visitor.Page.Locator("button[value=allow]").BoundingBoxAsync();
        var deny = await visitor.Page.Locator("button[value=deny]").BoundingBoxAsync();

        Assert.Equal(allow!.Width, deny!.Width);
        Assert.Equal(allow.Height, deny.Height);
    }

    [Fact]
    public async Task A_person_chooses_between_accounts()
    {
        await using var visitor = await site.OpenAsync();
        await visitor.OpenAsync("/login");
        await visitor.SignInAsync(site.Bob, keep: true);
        await visitor.OpenAsync("/logout");
        await visitor.Page.Locator("form button").ClickAsync();
        await visitor.OpenAsync("/login");
        await visitor.SignInAsync(site.Alice);
        site.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await visitor.ComeFromAppAsync("openid", ("prompt", "select_account consent"));

        var accounts = visitor.Page.Locator("button.pick");
        Assert.Equal(2, await accounts.CountAsync());
        Assert.Contains("Alice", await accounts.First.TextContentAsync(), StringComparison.Ordinal);

        // Bob was remembered because he asked for it; he has to prove himself again.
        await accounts.Last.ClickAsync();
        await visitor.ReachAsync("**/login?*");
        Assert.Equal("bob", await visitor.Page.Locator("#username").InputValueAsync());
        await visitor.Page.GoBackAsync();

        await visitor.Page.GetByText("Remove them").ClickAsync();
        await visitor.ReachAsync("**/select-account?*");
        Assert.Equal(1, await accounts.CountAsync());
        await accounts.First.ClickAsync();
        await visitor.ReachAsync("**/consent?*");
        Assert.All(visitor.Posts, post => Assert.Equal(303, post.Status));
    }

    [Fact]
    public async Task The_language_that_was_chosen_stays_until_the_app_is_reached()
    {
        await using var visitor = await site.OpenAsync();
        await visitor.ComeFromAppAsync("openid email", ("ui_locales", "tlh zh-CN en"), ("prompt", "consent"));
        Assert.Equal("zh-Hans", await visitor.Page.Locator("html").GetAttributeAsync("lang"));
        await visitor.SignInAsync(site.Alice with { Password = "nobody has this password" });
        Assert.Equal("zh-Hans", await visitor.Page.Locator("html").GetAttributeAsync("lang"));

        await visitor.Page.GetByText("English").ClickAsync();
        Assert.Equal("en", await visitor.Page.Locator("html").GetAttributeAsync("lang"));
        await visitor.SignInAsync(site.Alice);
        await visitor.ReachAsync("**/consent?*");
        Assert.Equal("en", await visitor.Page.Locator("html").GetAttributeAsync("lang"));
    }
}
