using IdentityServer.Testing;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>
/// The pictures in <c>docs/images</c>. Taken again with every run; saved only where IDENTITY_TEST_IMAGES names a folder.
/// </summary>
[Collection(HostedSite.Shared)]
public sealed class Screenshots(HostedSite site)
{
    [Fact]
    public async Task Every_page_can_be_pictured()
    {
        await PictureSignInAsync("sign-in", ColorScheme.Light, 1280, "en-GB");
        await PictureSignInAsync("sign-in-dark", ColorScheme.Dark, 1280, "en-GB");
        await PictureSignInAsync("sign-in-narrow", ColorScheme.Light, 390, "en-GB");
        await PictureSignInAsync("sign-in-forced", ColorScheme.Light, 640, "en-GB", ForcedColors.Active);
        await PictureSignInAsync("sign-in-zh", ColorScheme.Light, 1280, "zh-CN");

        await using var visitor = await site.OpenAsync(options => options.ViewportSize = new ViewportSize { Width = 1280, Height = 960 });
        await visitor.ComeFromAppAsync("openid profile email orders.read orders.write offline_access");
        await visitor.SignInAsync(new Person("alice", "wrong wrong wrong wrong"));
        await SaveAsync(visitor.Page, "sign-in-refused");
        await visitor.SignInAsync(site.Alice);
        await SaveAsync(visitor.Page, "consent");
        site.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await visitor.ComeFromAppAsync("openid", ("prompt", "select_account"));
        await SaveAsync(visitor.Page, "choose-account");
        await visitor.OpenAsync("/logout");
        await SaveAsync(visitor.Page, "sign-out");
        await visitor.Page.Locator("button[type=submit]").ClickAsync();
        await SaveAsync(visitor.Page, "signed-out");
        await visitor.OpenAsync("/");
        await SaveAsync(visitor.Page, "home");
        await visitor.ComeFromAppAsync("openid", ("redirect_uri", "https://elsewhere.example/"));
        await SaveAsync(visitor.Page, "error");
        await visitor.OpenAsync("/setup");
        await SaveAsync(visitor.Page, "setup");
    }

    private async Task PictureSignInAsync(string name, ColorScheme scheme, int width, string locale, ForcedColors forced = ForcedColors.None)
    {
        await using var visitor = await site.OpenAsync(options =>
        {
            options.ColorScheme = scheme;
            options.Locale = locale;
            options.ForcedColors = forced;
            options.ViewportSize = new ViewportSize { Width = width, Height = 800 };
        });
        await visitor.ComeFromAppAsync();
        await SaveAsync(visitor.Page, name);
    }

    private static async Task SaveAsync(IPage page, string name)
    {
        var picture = await page.ScreenshotAsync(new PageScreenshotOptions { FullPage = true });
        Assert.NotEmpty(picture);
        if (Environment.GetEnvironmentVariable("IDENTITY_TEST_IMAGES") is { Length: > 0 } folder)
        {
            await File.WriteAllBytesAsync(Path.Combine(folder, name + ".png"), picture);
        }
    }
}
