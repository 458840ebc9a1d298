using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using IdentityServer.Testing;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>Every page, as people with different eyes, screens and languages meet it.</summary>
[Collection(HostedSite.Shared)]
public sealed class AccessibilityTests(HostedSite site)
{
    private static readonly List<string> _standards = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

    [Theory]
    [InlineData("en-GB", "en", 1280, ColorScheme.Light, ForcedColors.None)]
    [InlineData("zh-CN", "zh-Hans", 1280, ColorScheme.Dark, ForcedColors.None)]
    [InlineData("en-GB", "en", 320, ColorScheme.Dark, ForcedColors.None)]
    [InlineData("zh-CN", "zh-Hans", 360, ColorScheme.Light, ForcedColors.None)]
    [InlineData("en-GB", "en", 640, ColorScheme.Light, ForcedColors.Active)]
    public async Task Every_page_meets_WCAG_2_2_AA(string locale, string language, int width, ColorScheme scheme, ForcedColors forced)
    {
        await using var visitor = await site.OpenAsync(options =>
        {
            options.Locale = locale;
            options.ViewportSize = new ViewportSize { Width = width, Height = 800 };
            options.ColorScheme = scheme;
            options.ForcedColors = forced;
        });

        await foreach (var name in WalkAsync(visitor))
        {
            await CheckAsync(visitor, name, language, judgesContrast: forced == ForcedColors.None);
        }

        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData("en-GB", "en", 1280, ColorScheme.Light)]
    [InlineData("zh-CN", "zh-Hans", 1280, ColorScheme.Dark)]
    [InlineData("en-GB", "en", 320, ColorScheme.Dark)]
    [InlineData("zh-CN", "zh-Hans", 360, ColorScheme.Light)]
    public async Task Every_account_page_meets_WCAG_2_2_AA(string locale, string language, int width, ColorScheme scheme)
    {
        await using var visitor = await site.OpenAsync(options =>
        {
            options.Locale = locale;
            options.ViewportSize = new ViewportSize { Width = width, Height = 800 };
            options.ColorScheme = scheme;
        });

        await foreach (var name in WalkAccountAsync(visitor))
        {
            await CheckAsync(visitor, name, language, judgesContrast: true);
        }

        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Pages_bear_text_twice_as_large()
    {
        await using var visitor = await site.OpenAsync(options => options.ViewportSize = new ViewportSize { Width = 640, Height = 800 });
        await foreach (var name in Both())
        {
            await visitor.Page.EvaluateAsync("document.documentElement.style.fontSize = '200%'");
            await AssertFitsAsync(visitor.Page, name);
        }

        async IAsyncEnumerable<string> Both()
        {
            await foreach (var name in WalkAsync(visitor))
            {
                yield return name;
            }

            await foreach (var name in WalkAccountAsync(visitor))
            {
                yield return name;
            }
        }
    }

    /// <summary>Leads somebody with a long name and much to see through the pages of their account, to its end.</summary>
    private async IAsyncEnumerable<string> WalkAccountAsync(Visitor visitor)
    {
        var page = visitor.Page;
        var person = await site.AddLongNamedPersonAsync();
        await using var elsewhere = await site.OpenAsync();
        await elsewhere.ComeFromAppAsync("openid profile orders.write offline_access");
        await elsewhere.SignInAsync(person);
        await elsewhere.Page.Locator("button[value=allow]").ClickAsync();
        await elsewhere.WaitForAppAsync();
        await visitor.OpenAsync("/account");
        await visitor.SignInAsync(person);
        await page.WaitForURLAsync("**/account");
        yield return "account";
        await visitor.OpenAsync("/account/profile");
        yield return "profile";
        await page.Locator("#name").FillAsync("turned \u202e around");
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator("#name-error").WaitForAsync();
        yield return "profile, refused";
        await visitor.OpenAsync("/account/password");
        yield return "password";
        await page.Locator("#current-password").FillAsync("nobody has this password");
        await page.Locator("#new-password").FillAsync("password password");
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator("#new-password-error").WaitForAsync();
        yield return "password, refused";
        await visitor.OpenAsync("/account/passkeys");
        yield return "passkeys";
        await visitor.OpenAsync("/account/authenticator");
        yield return "authenticator";
        await page.Locator("#code").FillAsync("000000");
        await page.Locator("form:has(#code) button[type=submit]").ClickAsync();
        await page.Locator("#code-error").WaitForAsync();
        yield return "authenticator, refused";
        var key = await page.Locator(".key-text").TextContentAsync();
        await page.Locator("#code").FillAsync(new AuthenticatorApp(key!, site.Server.Clock).Code);
        await page.Locator("form:has(#code) button[type=submit]").ClickAsync();
        await page.Locator(".codes").WaitForAsync();
        yield return "authenticator, added";
        await visitor.OpenAsync("/account/authenticator");
        await page.Locator("summary").ClickAsync();
        yield return "authenticator, open";
        await visitor.OpenAsync("/account/recovery-codes");
        yield return "recovery codes";
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator(".codes").WaitForAsync();
        yield return "recovery codes, made";
        await visitor.OpenAsync("/account/delete");
        yield return "delete";
        await page.Locator("#username").FillAsync("somebody");
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator("#username-error").WaitForAsync();
        yield return "delete, refused";
        await page.Locator("#username").FillAsync(person.UserName);
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.WaitForURLAsync("**/account/deleted*");
        yield return "deleted";
    }

    /// <summary>Leads the visitor to each page in turn and names it.</summary>
    private async IAsyncEnumerable<string> WalkAsync(Visitor visitor)
    {
        var page = visitor.Page;
        await visitor.OpenAsync("/");
        yield return "home";
        await visitor.ComeFromAppAsync("openid profile email orders.read orders.write offline_access");
        yield return "sign in";
        await visitor.SignInAsync(new Person("alice", "nobody has this password"));
        yield return "sign in, refused";
        await visitor.SignInAsync(site.Alice, keep: true);
        await page.WaitForURLAsync("**/consent?*");
        yield return "consent";
        site.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await visitor.ComeFromAppAsync("openid", ("prompt", "select_account"));
        await page.WaitForURLAsync("**/select-account?*");
        yield return "choose account";
        await visitor.OpenAsync("/");
        yield return "home, signed in";
        await visitor.OpenAsync("/logout");
        yield return "sign out";
        await page.Locator("form button[type=submit]").ClickAsync();
        await page.WaitForURLAsync("**/signed-out*");
        yield return "signed out";
        await visitor.OpenAsync("/setup");
        yield return "set-up";
        await page.Locator("#setup-code").FillAsync("mistyped");
        await page.Locator("#username").FillAsync("admin");
        await page.Locator("#email").FillAsync("admin@example.com");
        await page.Locator("#new-password").FillAsync("nine lilac umbrellas wait");
        await page.Locator("button[type=submit]").ClickAsync();
        await page.Locator("#setup-code-error").WaitForAsync();
        yield return "set-up, refused";
        await visitor.OpenAsync("/nothing-here");
        yield return "not found";
        await visitor.OpenAsync("/login?handle=forgotten");
        yield return "expired";
        await visitor.ComeFromAppAsync("openid", ("redirect_uri", "https://elsewhere.example/"));
        await page.Locator("summary").ClickAsync();
        yield return "error";
    }

    /// <summary>Judges the page that the visitor is at.</summary>
    internal static async Task CheckAsync(Visitor visitor, string name, string language, bool judgesContrast)
    {
        var page = visitor.Page;
        Assert.Equal(language, await page.Locator("html").GetAttributeAsync("lang"));
        Assert.Equal(1, await page.Locator("h1").CountAsync());
        Assert.DoesNotMatch(@"\{\d", await page.TitleAsync() + await page.Locator("html").TextContentAsync());
        await AssertFitsAsync(page, name);

        // Forced colours are the person's own; axe would compare those we had chosen.
        var result = await page.RunAxe(new AxeRunOptions
        {
            RunOnly = new RunOnlyOptions { Type = "tag", Values = _standards },
            Rules = new Dictionary<string, RuleOptions> { ["color-contrast"] = new RuleOptions { Enabled = judgesContrast } },
        });
        var violations = result.Violations.Select(violation =>
            $"{violation.Id}: {string.Join(" | ", violation.Nodes.Select(node => node.Html))}");
        Assert.True(result.Violations.Length == 0, $"{name}: {string.Join('\n', violations)}");
    }

    /// <summary>Nobody has to scroll sideways (WCAG 1.4.10).</summary>
    private static async Task AssertFitsAsync(IPage page, string name)
    {
        var excess = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(excess <= 0, $"{name} is {excess} px too wide.");
    }
}
