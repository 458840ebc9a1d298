using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.SignIn;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Recovery;

/// <summary>Asks whose password was forgotten, or whose account is locked. Tells nobody whether there is such an account.</summary>
public sealed class ForgotPasswordModel(MailDesk desk, MailRoute route, BrowserCookie browser, PausedRequests requests) : PageModel
{
    [BindProperty(Name = "handle", SupportsGet = true)]
    public string? Waiting { get; set; }

    [BindProperty(Name = "username")]
    public string? Typed { get; set; }

    /// <summary>Which button: <c>unlock</c>, or any other for a new password.</summary>
    [BindProperty(Name = "what")]
    public string? What { get; set; }

    public PausedRequest? Paused { get; private set; }

    /// <summary>The person just said that somebody else was in their account.</summary>
    public bool IsAfterNotMe { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (!route.IsOn)
        {
            return NotFound();
        }

        Paused = await requests.FindAsync(Waiting, ct);
        IsAfterNotMe = TempData["recovery.not-me"] is true;
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (!route.IsOn)
        {
            return NotFound();
        }

        Paused = await requests.FindAsync(Waiting, ct);
        var purpose = What == "unlock" ? LinkPurpose.Unlock : LinkPurpose.Reset;
        await desk.AskAsync(purpose, Typed ?? "", browser.Ensure(HttpContext), Paused?.Handle, HttpContext, ct);
        return new SeeOther(Links.Onward(Request, "/check-mail"));
    }
}
