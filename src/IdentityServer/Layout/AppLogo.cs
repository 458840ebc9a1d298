using System.Text.RegularExpressions;
using IdentityServer.Protocol.Clients;

namespace IdentityServer.Layout;

/// <summary>
/// An app's logo, when it can be shown without asking anyone else for it: a request to the app's own host would tell it who
/// is looking at this page, before the person has decided anything.
/// </summary>
public static partial class AppLogo
{
    // A page weighs less than 50 KB in all.
    private const int Largest = 8 * 1024;

    public static string? Of(Client app) =>
        app.LogoUri is { Length: <= Largest } logo && Embedded().IsMatch(logo) ? logo : null;

    [GeneratedRegex(@"^data:image/(svg\+xml|png|webp|jpeg)[;,]", RegexOptions.ExplicitCapture, 100)]
    private static partial Regex Embedded();
}
