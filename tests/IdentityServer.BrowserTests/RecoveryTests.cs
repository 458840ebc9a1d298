using IdentityServer.Testing;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>The pages of mailed links, as people with different eyes, screens and languages meet them.</summary>
[Collection(HostedSite.Shared)]
public sealed class RecoveryTests(HostedSite site)
{
    private const string NewPassword = "seven marble teapots whistling";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("en-GB", "en")]
    [InlineData("zh-CN", "zh-Hans")]
    public async Task Every_page_meets_WCAG_2_2_AA(string locale, string language)
    {
        await using var visitor = await site.OpenAsync(options => options.Locale = locale);

        await foreach (var name in WalkAsync(visitor, locale, language))
        {
            await AccessibilityTests.CheckAsync(visitor, name, language);
        }

        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
        Assert.All(visitor.Posts.Where(post => post.Path != "/register/finish"), post => Assert.True(post.Status is 303 or 200, $"{post}"));
    }

    [Theory]
    [InlineData("en-GB", 1280, ColorScheme.Light)]
    [InlineData("en-GB", 360, ColorScheme.Dark)]
    [InlineData("zh-CN", 1280, ColorScheme.Dark)]
    [InlineData("zh-CN", 360, ColorScheme.Light)]
    public async Task With_the_keyboard_alone_a_password_is_reset_and_the_app_reached(string locale, int width, ColorScheme scheme)
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync(locale, width, scheme);
        await visitor.ComeFromAppAsync("openid");
        var page = visitor.Page;
        await visitor.PressAsync("a[href^='/forgot-password']");
        await visitor.ReachAsync("**/forgot-password?*");
        await visitor.TypeAsync("#username", person.UserName);
        await page.Keyboard.PressAsync("Enter");
        await visitor.ReachAsync("**/check-mail?*");

        await page.GotoAsync(await LinkAsync(person, "/reset-password"));
        await visitor.TypeAsync("#new-password", NewPassword);
        await page.Keyboard.PressAsync("Enter");
        await visitor.ReachAsync("**/login?*");
        await visitor.SignInByKeyboardAsync(person with { Password = NewPassword });
        await AllowAsync(visitor);
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData("en-GB", 1280, ColorScheme.Light)]
    [InlineData("en-GB", 360, ColorScheme.Dark)]
    [InlineData("zh-CN", 1280, ColorScheme.Dark)]
    [InlineData("zh-CN", 360, ColorScheme.Light)]
    public async Task With_the_keyboard_alone_an_account_is_opened_and_the_app_reached(string locale, int width, ColorScheme scheme)
    {
        site.Server.Clock.Advance(TimeSpan.FromHours(3));
        var email = NewEmail();
        await using var visitor = await site.OpenAsync(locale, width, scheme);
        await visitor.ComeFromAppAsync("openid");
        var page = visitor.Page;
        await visitor.PressAsync("a[href^='/register']");
        await visitor.ReachAsync("**/register?*");
        await visitor.TypeAsync("#email", email);
        await page.Keyboard.PressAsync("Enter");
        await visitor.ReachAsync("**/check-mail?*");

        await page.GotoAsync(await LinkAsync(email, "/register/finish"));
        await visitor.TypeAsync("#name", "Nora New");
        await visitor.TypeAsync("#new-password", NewPassword);
        await page.Keyboard.PressAsync("Enter");
        await AllowAsync(visitor);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Without_script_everything_works()
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync(options => options.JavaScriptEnabled = false);
        var page = visitor.Page;
        await visitor.OpenAsync("/forgot-password");
        await page.Locator("#username").FillAsync(person.UserName);
        await page.Locator("button[value=unlock]").ClickAsync();
        await page.Locator("h1:has-text('Check your e-mail')").WaitForAsync();
        await page.GotoAsync(await LinkAsync(person, "/unlock"));
        await page.Locator("button[type=submit]").ClickAsync();
        await page.Locator("h2:has-text('Your account is unlocked')").WaitForAsync();

        await visitor.OpenAsync("/register");
        var email = NewEmail();
        await page.Locator("#email").FillAsync(email);
        await page.Locator("button[type=submit]").ClickAsync();
        await page.Locator("h1:has-text('Check your e-mail')").WaitForAsync();
        await page.GotoAsync(await LinkAsync(email, "/register/finish"));
        await page.Locator("#name").FillAsync("Nora New");
        await page.Locator("#new-password").FillAsync(NewPassword);
        await page.Locator("button[type=submit]").ClickAsync();
        await page.Locator("h1:has-text('Nora New')").WaitForAsync();
    }

    /// <summary>Leads the visitor to each page in turn and names it.</summary>
    private async IAsyncEnumerable<string> WalkAsync(Visitor visitor, string locale, string language)
    {
        var page = visitor.Page;
        var person = await AddPersonAsync();

        // 1 a forgotten password
        await visitor.ComeFromAppAsync("openid");
        await page.Locator("a[href^='/forgot-password']").ClickAsync();
        await visitor.ReachAsync("**/forgot-password?*");
        yield return "forgot";
        await page.Locator("#username").FillAsync(person.UserName);
        await page.Locator("button[value=reset]").ClickAsync();
        await visitor.ReachAsync("**/check-mail?*");
        yield return "check mail";
        var reset = await LinkAsync(person, "/reset-password");
        await page.GotoAsync(reset);
        yield return "reset";
        await page.Locator("#new-password").FillAsync("passwordpassword");
        await page.Locator("form button[type=submit]").ClickAsync();
        await page.Locator("#new-password-error").WaitForAsync();
        yield return "reset, refused";
        await page.Locator("#new-password").FillAsync(NewPassword);
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/login?*");
        yield return "sign in after a reset";
        await page.GotoAsync(reset);
        yield return "link used";

        // 2 unlocking
        await visitor.OpenAsync("/forgot-password");
        await page.Locator("#username").FillAsync(person.UserName);
        await page.Locator("button[value=unlock]").ClickAsync();
        await visitor.ReachAsync("**/check-mail*");
        var unlock = await LinkAsync(person, "/unlock");
        await page.GotoAsync(unlock);
        yield return "unlock";
        await using (var other = await site.OpenAsync(options => options.Locale = locale))
        {
            await other.Page.GotoAsync(unlock);
            await AccessibilityTests.CheckAsync(other, "other browser", language);
        }

        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/login*");
        yield return "sign in after unlocking";

        // 3 the address
        await visitor.OpenAsync("/login?to=email");
        await visitor.SignInAsync(person with { Password = NewPassword });
        await visitor.ReachAsync("**/account/email*");
        yield return "address";
        var email = NewEmail();
        await page.Locator("#email").FillAsync(email);
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/check-mail*");
        await page.GotoAsync(await LinkAsync(email, "/verify-email"));
        yield return "verify";
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/email-confirmed*");
        yield return "verified";

        // 4 not me
        await using (var stranger = await site.OpenAsync())
        {
            await stranger.OpenAsync("/login");
            await stranger.SignInAsync(person with { Password = NewPassword });
            await stranger.ReachAsync(site.Issuer + "/*");
        }

        await page.GotoAsync(await LinkAsync(email, "/not-me"));
        yield return "not me";
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/forgot-password*");
        yield return "after not me";

        // 5 registration
        await visitor.OpenAsync("/register");
        yield return "register";
        var newcomer = NewEmail();
        await page.Locator("#email").FillAsync(newcomer);
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/check-mail*");
        await page.GotoAsync(await LinkAsync(newcomer, "/register/finish"));
        yield return "finish";
        await page.Locator("#name").FillAsync("Nora\u202eNew");
        await page.Locator("#new-password").FillAsync("passwordpassword");
        await page.Locator("form button[type=submit]").ClickAsync();
        await page.Locator("#new-password-error").WaitForAsync();
        yield return "finish, refused";
        await page.Locator("#name").FillAsync("Nora New");
        await page.Locator("#new-password").FillAsync(NewPassword);
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync(site.Issuer + "/*");
        yield return "registered";
    }

    private static async Task AllowAsync(Visitor visitor)
    {
        await visitor.ReachAsync("**/consent?*");
        await visitor.PressAsync("button[value=allow]");
        Assert.Contains("code=", (await visitor.WaitForAppAsync()).Query, StringComparison.Ordinal);
    }

    private static string NewEmail() => $"n{Guid.NewGuid():N}"[..14] + "@example.org";

    private async Task<Person> AddPersonAsync()
    {
        // So that the limits of an hour begin anew.
        site.Server.Clock.Advance(TimeSpan.FromHours(3));
        return await site.Server.AddPersonAsync($"p{Guid.NewGuid():N}"[..12], Ct);
    }

    private Task<string> LinkAsync(Person person, string path) => LinkAsync($"{person.UserName}@example.com", path);

    private async Task<string> LinkAsync(string email, string path)
    {
        while (true)
        {
            var mail = await site.Mails.ReceiveAsync(email, Ct);
            if (mail.Text.Contains($"{path}?code=", StringComparison.Ordinal))
            {
                return mail.LinkTo(path).AbsoluteUri;
            }
        }
    }
}
