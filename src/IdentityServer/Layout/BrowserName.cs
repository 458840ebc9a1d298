namespace IdentityServer.Layout;

/// <summary>
/// A browser as its owner would call it. Browsers say many untrue things of themselves for the sake of old sites, and anybody may say
/// anything: only words of this list are ever shown.
/// </summary>
/// <param name="Browser">Such as <c>Firefox</c>; <see langword="null"/>: not known.</param>
/// <param name="System">Such as <c>Windows</c>; <see langword="null"/>: not known.</param>
public sealed record BrowserName(string? Browser, string? System)
{
    // In this order: most of them also claim to be one of those below.
    private static readonly (string Mark, string Name)[] Browsers =
    [
        ("Edg/", "Edge"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
        ("YaBrowser/", "Yandex"), ("MicroMessenger/", "WeChat"), ("QQBrowser/", "QQ"), ("UCBrowser/", "UC"), ("Vivaldi/", "Vivaldi"),
        ("FxiOS/", "Firefox"), ("Firefox/", "Firefox"), ("CriOS/", "Chrome"), ("Chromium/", "Chromium"), ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];

    private static readonly (string Mark, string Name)[] Systems =
    [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
        ("Macintosh", "Mac"), ("Linux", "Linux"),
    ];

    /// <summary>Reads <c>User-Agent</c>.</summary>
    public static BrowserName Of(string? userAgent) => new(Find(Browsers, userAgent), Find(Systems, userAgent));

    private static string? Find((string Mark, string Name)[] known, string? userAgent) =>
        userAgent is null ? null : known.FirstOrDefault(entry => userAgent.Contains(entry.Mark, StringComparison.Ordinal)).Name;
}
