using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>How a page is shown to somebody: their screen, and their wish for light, dark, or colours of their own.</summary>
internal sealed record Shape(int Width, ColorScheme Scheme, ForcedColors Forced = ForcedColors.None)
{
    private static readonly Shape[] _english =
        [new(1280, ColorScheme.Light), new(320, ColorScheme.Dark), new(640, ColorScheme.Light, ForcedColors.Active)];

    private static readonly Shape[] _chinese = [new(1280, ColorScheme.Dark), new(360, ColorScheme.Light)];

    /// <summary>Those in which each page is looked at in a language; the first is the one that is walked in.</summary>
    public static IReadOnlyList<Shape> Of(string language) => language == "en" ? _english : _chinese;

    /// <summary>Shows the page so. A page is led through its states once and then looked at in each shape: the walk costs more than the look.</summary>
    public async Task ApplyAsync(IPage page)
    {
        await page.SetViewportSizeAsync(Width, 800);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { ColorScheme = Scheme, ForcedColors = Forced });
    }
}
