using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using IdentityServer.Configuration;

namespace IdentityServer.Layout;

/// <summary>How a deployment makes the hosted pages its own: a name, four style values and two links, each checked once at start.</summary>
public sealed partial class Brand
{
    private const int LargestLogo = 16 * 1024;

    private static readonly Dictionary<string, string> LogoTypes = new(StringComparer.OrdinalIgnoreCase)
    {
        [".svg"] = "image/svg+xml",
        [".png"] = "image/png",
        [".webp"] = "image/webp",
    };

    private readonly BrandSettings _settings;

    private Brand(BrandSettings settings) => _settings = settings;

    public string Name => _settings.Name.Trim();

    public string? HelpUrl => _settings.HelpUrl;

    public string? PrivacyUrl => _settings.PrivacyUrl;

    /// <summary>The logo's bytes and type, when a deployment has its own.</summary>
    public (byte[] Bytes, string ContentType)? Logo { get; private init; }

    /// <summary>The settings as a brand; a wrong one stops the start with its name and what is allowed.</summary>
    public static Brand Of(BrandSettings settings)
    {
        if (Problems(settings).ToArray() is { Length: > 0 } problems)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, problems));
        }

        return new Brand(settings)
        {
            Logo = settings.Logo is { } path ? (File.ReadAllBytes(path), LogoTypes[Path.GetExtension(path)]) : null,
        };
    }

    /// <summary>One sentence for each setting that cannot be used.</summary>
    public static IEnumerable<string> Problems(BrandSettings settings)
    {
        if (settings.Name.Trim().Length is 0 or > 60)
        {
            yield return Problem(nameof(settings.Name), "a name of 1 to 60 characters");
        }

        if (settings.Accent is { } accent && !Accents().IsMatch(accent))
        {
            yield return Problem(nameof(settings.Accent), "a colour such as #0b6674");
        }

        if (settings.Radius is { } radius && !Radii().IsMatch(radius))
        {
            yield return Problem(nameof(settings.Radius), "0, or a length such as .375rem or 6px");
        }

        if (settings.Font is { } font && !Fonts().IsMatch(font))
        {
            yield return Problem(nameof(settings.Font), "names of installed fonts, separated by commas");
        }

        if (settings.Logo is { } logo
            && !(LogoTypes.ContainsKey(Path.GetExtension(logo)) && File.Exists(logo) && new FileInfo(logo).Length <= LargestLogo))
        {
            yield return Problem(
                nameof(settings.Logo),
                string.Create(CultureInfo.InvariantCulture, $"the path of an .svg, .png or .webp file of at most {LargestLogo} bytes"));
        }

        if (settings.HelpUrl is { } help && !IsLink(help))
        {
            yield return Problem(nameof(settings.HelpUrl), "an https: or mailto: address");
        }

        if (settings.PrivacyUrl is { } privacy && !IsLink(privacy))
        {
            yield return Problem(nameof(settings.PrivacyUrl), "an https: or mailto: address");
        }
    }

    /// <summary>True for an address a hosted page may link to.</summary>
    public static bool IsLink(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http" or "mailto";

    /// <summary>The style sheet that follows <c>identity.css</c>; empty when nothing was set.</summary>
    public string StyleSheet(string? logoAddress)
    {
        var values = new StringBuilder();
        Append("accent", _settings.Accent);
        Append("radius", _settings.Radius);
        Append("font", _settings.Font is { } font ? string.Join(", ", font.Split(',').Select(name => $"\"{name.Trim()}\"")) : null);
        Append("logo", logoAddress is null ? null : $"url(\"{logoAddress}\")");
        return values.Length == 0 ? "" : $":root {{{values} }}\n";

        void Append(string name, string? value)
        {
            if (value is not null)
            {
                values.Append(CultureInfo.InvariantCulture, $" --brand-{name}: {value};");
            }
        }
    }

    private static string Problem(string setting, string allowed) =>
        $"The setting IdentityServer:Brand:{setting} must be {allowed}.";

    [GeneratedRegex("^#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Accents();

    [GeneratedRegex(@"^(0|[0-9]{0,2}\.?[0-9]{1,3}(px|rem))$", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Radii();

    [GeneratedRegex(@"^[\p{L}\p{Nd} _-]{1,60}(,[\p{L}\p{Nd} _-]{1,60}){0,7}$", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Fonts();
}
