using IdentityServer.Configuration;
using IdentityServer.Mail;
using IdentityServer.SignIn;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Recovery;

/// <summary>Says where to look, and the same to everybody.</summary>
public sealed class CheckMailModel(MailRoute route, PausedRequests requests, ServerSettings settings) : PageModel
{
    [BindProperty(Name = "handle", SupportsGet = true)]
    public string? Waiting { get; set; }

    public PausedRequest? Paused { get; private set; }

    /// <summary>Where mail comes from.</summary>
    public string From => settings.Mail.From;

    public int Minutes => (int)MailKind.LinkLifetime.TotalMinutes;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        Paused = await requests.FindAsync(Waiting, ct);
        return route.IsOn ? Page() : NotFound();
    }
}
