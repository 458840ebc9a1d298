using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Sessions;
using IdentityServer.SignIn;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Recovery;

/// <summary>
/// The person's own address: to prove it, or to take another. Another one takes effect when it is proven, by a link sent there.
/// </summary>
public sealed class EmailModel(
    MailDesk desk, MailRoute route, SessionCookie cookie, ICredentials credentials, IFactors factors, TimeProvider clock) : PageModel
{
    /// <summary>Whoever has the address can reset the password: only after a fresh proof.</summary>
    private static readonly TimeSpan ProofLifetime = TimeSpan.FromMinutes(15);

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

        var session = await cookie.FindSessionAsync(HttpContext, ct);
        var isFresh = session is not null && clock.GetUtcNow() - session.AuthenticatedAt < ProofLifetime;
        if (!isFresh || await credentials.FindBySubjectAsync(session!.Subject, ct) is not { User: { DisabledAt: null } user })
        {
            return (new SeeOther(Links.ProofForEmail(Request, isFactorOnly: false)), null);
        }

        if ((await factors.FindAsync(user.Id, ct)).HasAny && !AcrValues.Satisfies(session.Acr, AcrValues.Mfa))
        {
            return (new SeeOther(Links.ProofForEmail(Request, isFactorOnly: true)), null);
        }

        (Current, IsProven) = (user.Email, user.EmailConfirmed);
        return (null, user);
    }
}
