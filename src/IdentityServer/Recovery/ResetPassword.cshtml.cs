using System.Globalization;
using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Resources;
using IdentityServer.SignIn;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Recovery;

/// <summary>
/// A new password, by a mailed link. It signs nobody in: the way on is the sign-in, with every factor the person has. Whatever the old
/// password opened has ended.
/// </summary>
public sealed class ResetPasswordModel(
    IMailLinks links,
    BrowserCookie browser,
    MailRoute route,
    ICredentials credentials,
    PasswordForm passwords,
    Revoker revoker,
    Notices notices,
    Unlocking unlocking,
    PausedRequests requests,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : LinkPage(links, browser, route, clock)
{
    [BindProperty(Name = "new-password")]
    public string? Password { get; set; }

    public PausedRequest? Paused { get; private set; }

    public string? UserName { get; private set; }

    /// <summary>Why the password was refused.</summary>
    public string? Error { get; private set; }

    /// <summary>Too many passwords are hashed at this moment.</summary>
    public bool IsBusy { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) => await EnterAsync(ct) is { Refusal: { } refusal } ? refusal : Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        var (refusal, user) = await EnterAsync(ct);
        if (refusal is not null)
        {
            return refusal;
        }

        // 1 the password
        var password = Password ?? "";
        if (user!.PasswordBarredAt is not null && await passwords.IsCurrentAsync(user, password, ct))
        {
            Error = texts["Reset_Same"];
            return Page();
        }

        var (hash, fault) = await passwords.TryHashAsync(user, password, ct);
        if (hash is null)
        {
            return fault == PasswordFault.None ? Busy() : Refuse(fault);
        }

        // 2 one transaction: the link is used up, the password is new, all sessions and grants end, the person is told
        var change = new NewPassword
        {
            PasswordHash = hash,
            LinkHash = Link.Hash,
            Audit = new AuditEvent(AuditTypes.PasswordChanged, Now)
            {
                Actor = "user:" + user.Id,
                Subject = user.Id,
                Address = Address,
                Detail = "reset",
            },
            Mail = notices.Compose(MailKind.PasswordChanged, user, HttpContext),
        };
        if (await revoker.EndPersonAsync(user.Id, exceptSessionId: null, change, new Cause("password_reset", "user:" + user.Id, Address), ct) is null)
        {
            return this.Show(PageProblem.LinkClosed);
        }

        // 3 what was counted against the old one is forgotten
        await unlocking.ForgetPasswordAsync(user.Id, ct);
        notices.Ring();
        TempData[SignInWords.Done] = SignInWords.PasswordChanged;
        return new SeeOther(Links.Login(Request, Waiting));
    }

    private async ValueTask<(IActionResult? Refusal, User? User)> EnterAsync(CancellationToken ct)
    {
        if (await FindAsync(MailLinkKinds.PasswordReset, ct) is { } refusal)
        {
            return (refusal, null);
        }

        // The address may have become another since the mail was sent.
        if (await credentials.FindBySubjectAsync(Link.Subject!, ct) is not { User: { DisabledAt: null } user } || user.Email != Link.Email)
        {
            return (this.Show(PageProblem.LinkClosed), null);
        }

        UserName = user.UserName;
        Paused = await requests.FindAsync(Waiting, ct);
        return (null, user);
    }

    private IActionResult Refuse(PasswordFault fault)
    {
        Error = texts[PasswordRulesValidator.CodePrefix + fault, PasswordRules.MinLength, PasswordRules.MaxLength];
        return Page();
    }

    private IActionResult Busy()
    {
        IsBusy = true;
        Response.StatusCode = StatusCodes.Status429TooManyRequests;
        Response.Headers.RetryAfter = PasswordSignIn.BusySeconds.ToString(CultureInfo.InvariantCulture);
        return Page();
    }
}
