using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.SignIn;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Recovery;

/// <summary>Whoever reads the mail has the address: it is proven, or takes the place of the one that was.</summary>
public sealed class VerifyEmailModel(
    IMailLinks links,
    BrowserCookie browser,
    MailRoute route,
    ICredentials credentials,
    Notices notices,
    TimeProvider clock) : LinkPage(links, browser, route, clock)
{
    private readonly IMailLinks _links = links;

    public string Email => Link.Email!;

    /// <summary>Whose account it is, so that nobody proves an address for a stranger without knowing.</summary>
    public string? UserName { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) => (await EnterAsync(ct)).Refusal ?? Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        var (refusal, user) = await EnterAsync(ct);
        if (refusal is not null)
        {
            return refusal;
        }

        var audit = new AuditEvent(AuditTypes.EmailVerified, Now) { Actor = "user:" + user!.Id, Subject = user.Id, Address = Address };
        var change = new EmailChange(
            audit, audit with { Type = AuditTypes.EmailChanged }, notices.Compose(MailKind.EmailChanged, user, HttpContext));
        if (!await _links.ProveEmailAsync(Link.Hash, MailLinkKinds.VerifyEmail, Now, change, ct))
        {
            return this.Show(PageProblem.LinkClosed);
        }

        notices.Ring();
        return new SeeOther(Links.To(Request, "/email-confirmed", null));
    }

    private async ValueTask<(IActionResult? Refusal, User? User)> EnterAsync(CancellationToken ct)
    {
        if (await FindAsync(MailLinkKinds.VerifyEmail, ct) is { } refusal)
        {
            return (refusal, null);
        }

        if (await credentials.FindBySubjectAsync(Link.Subject!, ct) is not { User: { DisabledAt: null } user })
        {
            return (this.Show(PageProblem.LinkClosed), null);
        }

        UserName = user.UserName;
        return (null, user);
    }
}
