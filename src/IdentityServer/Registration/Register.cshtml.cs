using IdentityServer.Configuration;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Recovery;
using IdentityServer.SignIn;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Registration;

/// <summary>Asks for an address and nothing else. Tells nobody whether it has an account: a mail tells whoever reads it there.</summary>
public sealed class RegisterModel(
    MailDesk desk, MailRoute route, ServerSettings settings, BrowserCookie browser, PausedRequests requests) : PageModel
{
    [BindProperty(Name = "handle", SupportsGet = true)]
    public string? Waiting { get; set; }

    [BindProperty(Name = "email")]
    public string? Email { get; set; }

    public PausedRequest? Paused { get; private set; }

    /// <summary>What was typed cannot be an address, whoever's.</summary>
    public bool IsRefused { get; private set; }

    private bool IsOpen => route.IsOn && settings.Accounts.Registration == true;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        Paused = await requests.FindAsync(Waiting, ct);
        return IsOpen ? Page() : NotFound();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        Paused = await requests.FindAsync(Waiting, ct);
        if (!IsOpen)
        {
            return NotFound();
        }

        var email = (Email ?? "").Trim();
        if (!MailAddresses.IsPossible(email))
        {
            IsRefused = true;
            return Page();
        }

        await desk.AskAsync(LinkPurpose.Register, email, browser.Ensure(HttpContext), Paused?.Handle, HttpContext, ct);
        return new SeeOther(Links.Onward(Request, "/check-mail"));
    }
}
