using System.Globalization;
using Microsoft.AspNetCore.Localization;

namespace IdentityServer.Layout;

/// <summary>A language of the hosted pages.</summary>
/// <param name="Tag">BCP 47, as in <c>ui_locales</c> and <c>lang</c>.</param>
/// <param name="Name">What its readers call it.</param>
public sealed record UiLanguage(string Tag, string Name)
{
    private const string Parameter = "ui_locales";

    public static IReadOnlyList<UiLanguage> All { get; } = [new("en", "English"), new("zh-Hans", "简体中文")];

    /// <summary>The language of the answer being written.</summary>
    public static UiLanguage Current =>
        All.FirstOrDefault(language => language.Tag == CultureInfo.CurrentUICulture.Name) ?? All[0];

    /// <summary>The language the address asks for (OpenID Connect Core §3.1.2.1), to be carried to the next page.</summary>
    public static UiLanguage? AskedFor(HttpRequest request) =>
        request.Query[Parameter] is [{ Length: > 0 and < 256 } tags] ? Match(tags.Split(' ')) : null;

    /// <summary>The first of the wanted languages that we have; more exact tags fall back to less exact ones (RFC 4647 §3.4).</summary>
    public static UiLanguage? Match(IEnumerable<string> tags)
    {
        foreach (var tag in tags)
        {
            for (var range = Expand(tag); range.Length > 0; range = Shorten(range))
            {
                if (All.FirstOrDefault(language => language.Tag.Equals(range, StringComparison.OrdinalIgnoreCase)) is { } found)
                {
                    return found;
                }
            }
        }

        return null;
    }

    /// <summary>Chooses the language of every request: <c>ui_locales</c>, then the browser's, then English.</summary>
    internal static RequestLocalizationOptions Localization()
    {
        var cultures = All.Select(language => CultureInfo.GetCultureInfo(language.Tag)).ToArray();
        return new RequestLocalizationOptions
        {
            DefaultRequestCulture = new RequestCulture(cultures[0]),
            SupportedCultures = cultures,
            SupportedUICultures = cultures,
            RequestCultureProviders = [new CustomRequestCultureProvider(http => Task.FromResult(Choose(http.Request)))],
        };
    }

    private static ProviderCultureResult? Choose(HttpRequest request)
    {
        var wanted = AskedFor(request) ?? Match(request.GetTypedHeaders().AcceptLanguage
            .Where(language => language.Quality is null or > 0)
            .OrderByDescending(language => language.Quality ?? 1)
            .Take(10)
            .Select(language => language.Value.ToString()));
        return wanted is null ? null : new ProviderCultureResult(wanted.Tag);
    }

    // Chinese without a script is written in the script of its region (CLDR's likely subtags).
    private static string Expand(string tag)
    {
        var parts = tag.Split('-');
        if (!parts[0].Equals("zh", StringComparison.OrdinalIgnoreCase) || (parts.Length > 1 && parts[1].Length == 4))
        {
            return tag;
        }

        var isTraditional = parts.Skip(1).Any(part => part.ToUpperInvariant() is "TW" or "HK" or "MO");
        return isTraditional ? "zh-Hant" : "zh-Hans";
    }

    private static string Shorten(string range) => range.LastIndexOf('-') is > 0 and var end ? range[..end] : "";
}
