using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Resources;
using IdentityServer.SignIn;
using IdentityServer.Storage.Factors;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Account;

/// <summary>A person's authenticator apps: add, rename, remove. Nothing of it without a fresh proof.</summary>
public sealed class AuthenticatorModel(
    AccountAccess access,
    AccountWords words,
    IAuthenticators authenticators,
    AuthenticatorApps apps,
    RecoveryCodes recovery,
    SignInFlow flow,
    Notices notices,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : AccountPage(access, clock)
{
    private readonly AccountAccess _access = access;

    [BindProperty]
    public string? Id { get; set; }

    [BindProperty]
    public string? Offer { get; set; }

    [BindProperty(Name = "code")]
    public string? Typed { get; set; }

    [BindProperty]
    public string? Name { get; set; }

    public AccountWords Words => words;

    public IReadOnlyList<Authenticator> Apps { get; private set; } = [];

    /// <summary>The form that adds one; <see langword="null"/>: there are enough.</summary>
    public AuthenticatorForm? Form { get; private set; }

    /// <summary>The recovery codes just made with the first factor; <see langword="null"/>: none.</summary>
    public IReadOnlyList<string>? Codes { get; private set; }

    public bool HasProblem => Fault is not null || Form is { IsRefused: true };

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterWithProofAsync(Links.AuthenticatorName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        TakeWords();
        Apps = await authenticators.ListAsync(Visit.Subject, ct);
        Form = Apps.Count < IAuthenticators.Most
            ? new AuthenticatorForm(apps.Offer(Self), texts["Enrol_DefaultName"], IsRefused: false)
            : null;
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await EnterWithProofAsync(Links.AuthenticatorName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        if (apps.OfferAgain(Self, Offer) is not { } offer)
        {
            return new SeeOther(Links.Here(Request));
        }

        var name = AuthenticatorForm.NameOf(Name, texts["Enrol_DefaultName"]);
        var mail = NoticeOf(notices, FactorChange.AuthenticatorAdded);
        if (!await apps.EnrolAsync(Visit.Subject, Offer, Typed, name, Event(AuditTypes.FactorAdded, "otp"), mail, ct))
        {
            Apps = await authenticators.ListAsync(Visit.Subject, ct);
            Form = new AuthenticatorForm(offer, name, IsRefused: true);
            return Page();
        }

        notices.Ring();

        // The code was shown here and now: the session stands for it, too.
        await flow.RenewAsync(Visit.Session, [Amr.OneTimeCode], "factor_added", HttpContext, ct);
        if (Visit.Owned.RecoveryCodes > 0)
        {
            return Tell(texts["Account_DoneAuthenticator", name], Links.Here(Request));
        }

        // The mail of the app says enough.
        Codes = await recovery.MakeAsync(Visit.Subject, Event(AuditTypes.RecoveryCodesMade), mail: null, ct);
        return Page();
    }

    public async Task<IActionResult> OnPostRenameAsync(CancellationToken ct)
    {
        if (await EnterWithProofAsync(Links.AuthenticatorName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var name = AuthenticatorForm.NameOf(Name, "");
        return name.Length > 0
            && await authenticators.RenameAsync(Visit.Subject, Id ?? "", name, Event(AuditTypes.FactorChanged, "otp"), ct)
            ? Tell(texts["Account_DoneRenamed", name], Links.Here(Request))
            : new SeeOther(Links.Here(Request));
    }

    public async Task<IActionResult> OnPostRemoveAsync(CancellationToken ct)
    {
        if (await EnterWithProofAsync(Links.AuthenticatorName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var mail = NoticeOf(notices, FactorChange.AuthenticatorRemoved);
        var removal = await authenticators.RemoveAsync(
            Visit.Subject, Id ?? "", _access.MustKeepFactor(Visit), Event(AuditTypes.FactorRemoved, "otp"), mail, ct);
        if (removal == AuthenticatorRemoval.Removed)
        {
            notices.Ring();
            await flow.RenewAsync(Visit.Session, [], "factor_removed", HttpContext, ct);
            return Tell(texts["Account_DoneAuthenticatorRemoved"], Links.Here(Request));
        }

        // Not found: another tab was faster, or it is somebody else's.
        return removal == AuthenticatorRemoval.LastFactor ? Refuse("last") : new SeeOther(Links.Here(Request));
    }

    private Person Self => new(Visit.Subject, Visit.User.UserName!, Visit.User.Name, Visit.User.Email, Visit.User.PhoneNumber);
}
