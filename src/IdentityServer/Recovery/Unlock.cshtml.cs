using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.SignIn;
using IdentityServer.Storage.Mail;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Recovery;

/// <summary>The person may try again at once, by a mailed link. The password stays as it is.</summary>
public sealed class UnlockModel(
    IMailLinks links, BrowserCookie browser, MailRoute route, Unlocking unlocking, IAuditLog audits, TimeProvider clock)
    : LinkPage(links, browser, route, clock)
{
    private readonly IMailLinks _links = links;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) => await FindAsync(MailLinkKinds.Unlock, ct) ?? Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await FindAsync(MailLinkKinds.Unlock, ct) is { } refusal)
        {
            return refusal;
        }

        if (!await _links.UseAsync(Link.Hash, MailLinkKinds.Unlock, Now, ct))
        {
            return this.Show(PageProblem.LinkClosed);
        }

        await unlocking.ForgetPasswordAsync(Link.Subject!, ct);
        var audit = new AuditEvent(AuditTypes.UnlockedByMail, Now)
        {
            Actor = "user:" + Link.Subject,
            Subject = Link.Subject,
            Address = Address,
        };
        await audits.WriteAsync([audit], ct);
        TempData[SignInWords.Done] = SignInWords.Unlocked;
        return new SeeOther(Links.Login(Request, Waiting));
    }
}
