using System.Globalization;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using WebApp.SignIn;

namespace WebApp.Pages;

/// <summary>Home: who is signed in, and the ways in and out.</summary>
public sealed class IndexModel(Server server) : PageModel
{
    private const string SignedOut = "signed-out";

    /// <summary>The claims worth showing.</summary>
    public static IReadOnlyList<string> Shown { get; } = ["name", "sub", "iss", "sid", "acr", "amr"];

    public SessionFacts? Session { get; private set; }

    public bool JustSignedOut { get; private set; }

    public async Task OnGetAsync(string? state)
    {
        var session = await HttpContext.AuthenticateAsync();
        JustSignedOut = !session.Succeeded && state == SignedOut;
        if (session is { Succeeded: true, Properties: { } properties })
        {
            var refreshes = properties.Items.TryGetValue(SessionEvents.Refreshes, out var count) ? count : null;
            Session = new(SessionEvents.ExpiresAt(properties), int.Parse(refreshes ?? "0", CultureInfo.InvariantCulture));
        }
    }

    public ChallengeResult OnPostSignIn() => Challenge(new AuthenticationProperties { RedirectUri = "/" });

    public async Task<IActionResult> OnPostSignOutAsync(CancellationToken ct)
    {
        var session = await HttpContext.AuthenticateAsync();
        await HttpContext.SignOutAsync(CookieAuthenticationDefaults.AuthenticationScheme);
        if (session.Properties is not { } properties)
        {
            return RedirectToPage();
        }

        if (properties.GetTokenValue("refresh_token") is { } refreshToken)
        {
            await server.RevokeAsync(refreshToken, ct);
        }

        // The app has forgotten the person; now the server shall too.
        var home = $"{Request.Scheme}://{Request.Host}/";
        return Redirect(await server.EndSessionAsync(properties.GetTokenValue("id_token"), home, SignedOut, ct));
    }
}

/// <summary>What the home page says of the session.</summary>
public sealed record SessionFacts(DateTimeOffset TokenEnds, int Refreshes);
