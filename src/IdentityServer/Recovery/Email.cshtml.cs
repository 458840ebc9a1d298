using IdentityServer.Account;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Recovery;

/// <summary>
/// The person's own address: to prove it, or to take another. Another one takes effect when it is proven, by a link sent there.
/// </summary>
public sealed class EmailModel(MailDesk desk, MailRoute route, AccountAccess access) : PageModel
{
    [BindProperty(Name = "email")]
    public string? Typed { get; set; }

    public string? Current { get; private set; }

    public bool IsProven { get; private set; }

    public bool IsRefused { get; private set; }

    /// <summary>Three an hour.</summary>
    public bool IsTooOften { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) => (await EnterAsync(ct)).Refusal ?? Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        var (refusal, user) = await EnterAsync(ct);
        if (refusal is not null)
        {
            return refusal;
        }

        var email = (Typed ?? "").Trim();
        if (!MailAddresses.IsPossible(email))
        {
            IsRefused = true;
            return Page();
        }

        if (!await desk.AskToProveAsync(user!, email, HttpContext, ct))
        {
            IsTooOften = true;
            Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return Page();
        }

        return new SeeOther(Links.To(Request, "/check-mail", null));
    }

    private async ValueTask<(IActionResult? Refusal, User? User)> EnterAsync(CancellationToken ct)
    {
        if (!route.IsOn)
        {
            return (NotFound(), null);
        }

        // Whoever has the address can reset the password.
        var visit = await access.FindAsync(HttpContext, ct);
        if (visit is null || !access.HasProof(visit))
        {
            return (new SeeOther(access.WayToProof(Request, visit, Links.EmailName)), null);
        }

        (Current, IsProven) = (visit.User.Email, visit.User.EmailConfirmed);
        return (null, visit.User);
    }
}
