using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.SignIn;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Revocations;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Recovery;

/// <summary>
/// A sign-in was not the person's own: everything ends at once, and the password opens nothing until another is chosen by mail.
/// </summary>
public sealed class NotMeModel(IMailLinks links, BrowserCookie browser, MailRoute route, Revoker revoker, TimeProvider clock)
    : LinkPage(links, browser, route, clock)
{
    public async Task<IActionResult> OnGetAsync(CancellationToken ct) => await FindAsync(MailLinkKinds.NotMe, ct) ?? Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await FindAsync(MailLinkKinds.NotMe, ct) is { } refusal)
        {
            return refusal;
        }

        var subject = Link.Subject!;
        var change = new BarredPassword
        {
            LinkHash = Link.Hash,
            Since = Link.CreatedAt - SignInFlow.PartialLifetime,
            Email = Link.Email!,
            Audit = new AuditEvent(AuditTypes.PasswordBarred, Now)
            {
                Actor = "user:" + subject,
                Subject = subject,
                Address = Address,
                Detail = "not_me",
            },
        };
        if (await revoker.EndPersonAsync(subject, exceptSessionId: null, change, new Cause("not_me", "user:" + subject, Address), ct) is null)
        {
            return this.Show(PageProblem.LinkClosed);
        }

        TempData["recovery.not-me"] = true;
        return new SeeOther(Links.To(Request, "/forgot-password", null));
    }
}
