using IdentityServer.Protocol.Sessions;
using IdentityServer.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace IdentityServer.BrowserTests;

/// <summary>From the app through the second factor and back to the app, as somebody goes who has no mouse.</summary>
[Collection(HostedSite.Shared)]
public sealed class JourneyTests(HostedSite site)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("en-GB", "en", 1280, ColorScheme.Light)]
    [InlineData("en-GB", "en", 360, ColorScheme.Dark)]
    [InlineData("zh-CN", "zh-Hans", 1280, ColorScheme.Dark)]
    [InlineData("zh-CN", "zh-Hans", 360, ColorScheme.Light)]
    public async Task With_the_keyboard_alone_an_authenticator_app_is_set_up_and_every_way_in_after_it_is_gone(
        string locale, string language, int width, ColorScheme scheme)
    {
        var person = await site.Server.AddPersonAsync($"j{Guid.NewGuid():N}"[..12], Ct);
        await using var visitor = await site.OpenAsync(locale, width, scheme);
        var page = visitor.Page;

        // 1 The app insists on two factors, and there is only one.
        await visitor.ComeFromAppAsync("openid", ("acr_values", AcrValues.Mfa));
        await visitor.SignInByKeyboardAsync(person);
        await AtAsync("/login/enrol?*");
        var app = new AuthenticatorApp((await page.Locator(".key-text").TextContentAsync())!, site.Server.Clock);
        await visitor.TypeAsync("#code", app.NextCode());
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator(".codes li")).ToHaveCountAsync(10);
        var codes = await page.Locator(".codes li").AllTextContentsAsync();
        await visitor.PressAsync("main a.button[href*=resume]");
        await AtAsync("/consent?*");
        await visitor.PressAsync("button[value=allow]");
        await AtAppAsync();

        // 2 A code. The field has the focus at once.
        await ComeAgainAsync();
        await AtAsync("/login/code?*");
        await Expect(page.Locator("#code")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(app.NextCode());
        await page.Keyboard.PressAsync("Enter");
        await AtAppAsync();

        // 3 The phone is not at hand: a recovery code.
        await ComeAgainAsync();
        await AtAsync("/login/code?*");
        await visitor.PressAsync("a[href^='/login/recovery']");
        await AtAsync("/login/recovery?*");
        await visitor.TypeAsync("#recovery", codes[0]);
        await page.Keyboard.PressAsync("Enter");
        await AtAppAsync();

        // 4 A mistake, then a code, and this browser shall not be asked again.
        await ComeAgainAsync();
        await AtAsync("/login/code?*");
        await page.Keyboard.TypeAsync(codes[0][..6]);
        await page.Keyboard.PressAsync("Enter");
        await page.Locator("#code-error").WaitForAsync();
        await Expect(page.Locator("#code")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(app.NextCode());
        await visitor.PressAsync("#remember", "Space");
        await visitor.PressAsync("form:has(#code) button[type=submit]");
        await AtAppAsync();

        // 5 It is not; another one is.
        await ComeAgainAsync();
        await AtAppAsync();
        Assert.Equal(["/logout", "/login"], visitor.Posts.TakeLast(2).Select(post => post.Path));
        await page.Context.ClearCookiesAsync();
        await visitor.ComeFromAppAsync("openid");
        await visitor.SignInByKeyboardAsync(person);
        await AtAsync("/login/code?*");
        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);

        async Task ComeAgainAsync()
        {
            site.Server.Clock.Advance(TimeSpan.FromSeconds(60));
            await visitor.OpenAsync("/logout");
            await visitor.PressAsync("main form button");
            await AtAsync("/signed-out*");
            await visitor.ComeFromAppAsync("openid");
            await visitor.SignInByKeyboardAsync(person);
        }

        async Task AtAsync(string address)
        {
            await visitor.ReachAsync("**" + address);
            Assert.Equal(language, await page.Locator("html").GetAttributeAsync("lang"));
        }

        async Task AtAppAsync() => Assert.Contains("code=", (await visitor.WaitForAppAsync()).Query, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("en-GB", 1280, ColorScheme.Light)]
    [InlineData("en-GB", 360, ColorScheme.Dark)]
    [InlineData("zh-CN", 1280, ColorScheme.Dark)]
    [InlineData("zh-CN", 360, ColorScheme.Light)]
    public async Task With_the_keyboard_alone_an_account_is_chosen_and_left(string locale, int width, ColorScheme scheme)
    {
        var person = await site.AddLongNamedPersonAsync();
        await using var visitor = await site.OpenAsync(locale, width, scheme);
        await visitor.ComeFromAppAsync("openid");
        await visitor.SignInByKeyboardAsync(person);
        await visitor.ReachAsync("**/consent?*");
        await visitor.PressAsync("button[value=allow]");
        await visitor.WaitForAppAsync();

        site.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await visitor.ComeFromAppAsync("openid", ("prompt", "select_account"));
        await visitor.ReachAsync("**/select-account?*");
        await visitor.PressAsync("button.pick");
        Assert.Contains("code=", (await visitor.WaitForAppAsync()).Query, StringComparison.Ordinal);

        var leaving = site.App.EndSessionAddress(
            new("client_id", site.App.ClientId), new("post_logout_redirect_uri", site.App.PostLogoutRedirectUri));
        await visitor.Page.GotoAsync(leaving.AbsoluteUri);
        await visitor.PressAsync("#reach-browser", "ArrowUp");
        await Expect(visitor.Page.Locator("#reach-app")).ToBeCheckedAsync();
        await visitor.PressAsync("main form button");
        Assert.Equal(site.App.PostLogoutRedirectUri, (await visitor.WaitForAppAsync()).AbsoluteUri);
        await visitor.ComeFromAppAsync("openid");
        Assert.Contains("code=", (await visitor.WaitForAppAsync()).Query, StringComparison.Ordinal);

        await visitor.Page.GotoAsync(leaving.AbsoluteUri);
        await visitor.PressAsync("main form button");
        Assert.Equal(site.App.PostLogoutRedirectUri, (await visitor.WaitForAppAsync()).AbsoluteUri);
        Assert.All(visitor.Posts, post => Assert.Equal(303, post.Status));
        Assert.Empty(visitor.Complaints);
    }
}
