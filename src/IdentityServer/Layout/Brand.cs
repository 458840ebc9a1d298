using System.Text;
using IdentityServer.Configuration;

namespace IdentityServer.Layout;

/// <summary>How a deployment makes the hosted pages its own: a name, four style values and two links.</summary>
public sealed class Brand(BrandSettings settings)
{
    /// <summary>In bytes: a page weighs less than 50 KB in all.</summary>
    public const int LargestLogo = 16 * 1024;

    private static readonly Dictionary<string, string> LogoTypes = new(StringComparer.OrdinalIgnoreCase)
    {
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".webp"] = "image/webp",
    };

    public string Name => settings.Name;

    public string? HelpUrl => settings.HelpUrl;

    public string? PrivacyUrl => settings.PrivacyUrl;

    /// <summary>The logo's bytes and type, when a deployment has its own.</summary>
    public (byte[] Bytes, string ContentType)? Logo { get; } =
        settings.Logo is { } path ? (File.ReadAllBytes(path), LogoTypes[Path.GetExtension(path)]) : null;

    /// <summary>True for a file that can stand on the pages.</summary>
    public static bool IsLogo(string path) =>
        LogoTypes.ContainsKey(Path.GetExtension(path)) && new FileInfo(path) is { Exists: true, Length: <= LargestLogo };

    /// <summary>True for an address a hosted page may link to.</summary>
    public static bool IsLink(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" or "mailto";

    /// <summary>The style sheet that follows <c>identity.css</c>; empty when nothing was set.</summary>
    /// <param name="logoAddress">Where the logo is served, when there is one.</param>
    public string StyleSheet(string? logoAddress)
    {
        var values = new StringBuilder();
        Append("accent", settings.Accent);
        Append("radius", settings.Radius);
        Append("font", settings.Font is { } font ? string.Join(", ", font.Split(',').Select(name => $"\"{name.Trim()}\"")) : null);
        Append("logo", logoAddress is null ? null : $"url(\"{logoAddress}\")");
        return values.Length == 0 ? "" : $":root {{{values} }}\n";

        void Append(string name, string? value)
        {
            if (value is not null)
            {
                values.Append(" --brand-").Append(name).Append(": ").Append(value).Append(';');
            }
        }
    }
}
