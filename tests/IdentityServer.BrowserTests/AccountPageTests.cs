using IdentityServer.Testing;

namespace IdentityServer.BrowserTests;

/// <summary>The account pages, as people with different means meet them.</summary>
[Collection(HostedSite.Shared)]
public sealed class AccountPageTests(HostedSite site)
{
    [Fact]
    public async Task The_keyboard_is_enough()
    {
        await using var visitor = await site.OpenAsync();
        var person = await site.AddLongNamedPersonAsync();
        await EnterAsync(visitor, person);
        var keyboard = visitor.Page.Keyboard;

        await visitor.Page.Locator("a[href='/account/profile']").FocusAsync();
        await keyboard.PressAsync("Enter");
        await visitor.ReachAsync("**/account/profile");
        await visitor.Page.Locator("#name").FocusAsync();
        await keyboard.PressAsync("Control+A");
        await keyboard.TypeAsync("Kim");
        foreach (var next in new[] { "given-name", "family-name", "locale" })
        {
            await keyboard.PressAsync("Tab");
            Assert.Equal(next, await visitor.Page.EvaluateAsync<string>("document.activeElement.id"));
        }

        await keyboard.PressAsync("Tab");
        await keyboard.PressAsync("Enter");
        await visitor.ReachAsync("**/account");
        Assert.Equal("Kim", await visitor.Page.Locator("h1").TextContentAsync());
        Assert.Contains("Your profile was changed", await visitor.Page.Locator("[role=status]").TextContentAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_works_without_script()
    {
        var person = await site.AddLongNamedPersonAsync();
        await using var elsewhere = await site.OpenAsync();
        await EnterAsync(elsewhere, person);
        await using var visitor = await site.OpenAsync(options => options.JavaScriptEnabled = false);
        await EnterAsync(visitor, person);
        var page = visitor.Page;

        await page.Locator("form[action*=EndSession] button").ClickAsync();
        Assert.Equal(0, await page.Locator("form[action*=EndSession]").CountAsync());
        await elsewhere.OpenAsync("/account");
        Assert.Equal(1, await elsewhere.Page.Locator("#password").CountAsync());

        await page.Locator("a[href='/account/password']").ClickAsync();
        await page.Locator("#current-password").FillAsync(person.Password);
        await page.Locator("#new-password").FillAsync("seven violet anchors rest");
        await page.Locator("main button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/account*");
        Assert.Contains("Your password was changed", await page.Locator("[role=status]").TextContentAsync(), StringComparison.Ordinal);

        await page.Locator("a[href='/account/authenticator']").ClickAsync();
        var key = await page.Locator(".key-text").TextContentAsync();
        await page.Locator("#code").FillAsync(new AuthenticatorApp(key!, site.Server.Clock).Code);
        await page.Locator("form:has(#code) button[type=submit]").ClickAsync();
        Assert.Equal(10, await page.Locator(".codes li").CountAsync());
        Assert.Empty(visitor.Strangers);
    }

    private static async Task EnterAsync(Visitor visitor, Person person)
    {
        await visitor.OpenAsync("/account");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/account");
    }
}
