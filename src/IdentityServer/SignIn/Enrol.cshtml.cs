using System.Globalization;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Passkeys;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Resources;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.SignIn;

/// <summary>
/// Leads somebody who needs a second factor and has none through setting one up, shows the recovery codes once, and goes back to where they
/// were going.
/// </summary>
public sealed class EnrolModel(
    PartialVisits visits,
    AuthenticatorApps apps,
    PasskeySignIn passkeys,
    RecoveryCodes recovery,
    SignInFlow flow,
    PendingRequests pending,
    ICredentials credentials,
    Notices notices,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : FactorPage(visits, clock)
{
    private readonly TimeProvider _clock = clock;

    [BindProperty]
    public string? Offer { get; set; }

    [BindProperty(Name = "code")]
    public string? Typed { get; set; }

    [BindProperty]
    public string? Name { get; set; }

    [BindProperty]
    public string? Ceremony { get; set; }

    [BindProperty]
    public string? Credential { get; set; }

    public bool OffersPasskeys => passkeys.IsOn;

    /// <summary>The passkey that was made could not be added.</summary>
    public bool IsPasskeyRefused { get; private set; }

    public AuthenticatorForm Form { get; private set; } = null!;

    /// <summary>The recovery codes just made; <see langword="null"/>: not yet.</summary>
    public IReadOnlyList<string>? Codes { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (!await FindVisitAsync(ct))
        {
            return Restart();
        }

        if (!Visit.MayEnrol)
        {
            return new SeeOther(Links.Onward(Request, Visit.FirstPage));
        }

        Form = new AuthenticatorForm(apps.Offer(Visit.Person), texts["Enrol_DefaultName"], IsRefused: false);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (!await FindVisitAsync(ct) || !Visit.MayEnrol || apps.OfferAgain(Visit.Person, Offer) is not { } offer)
        {
            return Restart();
        }

        var subject = Visit.Partial.Subject;
        var name = AuthenticatorForm.NameOf(Name, texts["Enrol_DefaultName"]);
        var mail = await NoticeAsync(FactorChange.AuthenticatorAdded, ct);
        if (!await apps.EnrolAsync(subject, Offer, Typed, name, Event(AuditTypes.FactorAdded, "otp"), mail, ct))
        {
            Form = new AuthenticatorForm(offer, name, IsRefused: true);
            return Answer(new SignInOutcome.Refused());
        }

        notices.Ring();
        return await FinishAsync(
            await flow.CompleteAsync(Visit.Partial, [Amr.OneTimeCode], remember: false, HttpContext, ct), ct);
    }

    public async Task<IActionResult> OnPostOptionsAsync(CancellationToken ct) =>
        await FindVisitAsync(ct) && Visit.MayEnrol
            ? await passkeys.BeginRegistrationAsync(Visit.Partial.Subject, HttpContext, ct)
            : CeremonyAnswer.None;

    public async Task<IActionResult> OnPostPasskeyAsync(CancellationToken ct)
    {
        if (!await FindVisitAsync(ct) || !Visit.MayEnrol)
        {
            return Restart();
        }

        var name = texts["Passkey_DefaultName", _clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)];
        var mail = await NoticeAsync(FactorChange.PasskeyAdded, ct);
        var outcome = await passkeys.EnrolAsync(Visit.Partial, name, mail, Ceremony, Credential, HttpContext, ct);
        if (outcome is SignInOutcome.Refused)
        {
            Form = new AuthenticatorForm(apps.Offer(Visit.Person), texts["Enrol_DefaultName"], IsRefused: false);
            IsPasskeyRefused = true;
        }

        notices.Ring();
        return await FinishAsync(outcome, ct);
    }

    // Whoever has recovery codes already keeps them.
    private async Task<IActionResult> FinishAsync(SignInOutcome outcome, CancellationToken ct)
    {
        if (outcome is not SignInOutcome.SignedIn || Visit.Owned.RecoveryCodes > 0)
        {
            return Answer(outcome);
        }

        Codes = await recovery.MakeAsync(
            Visit.Partial.Subject, Event(AuditTypes.RecoveryCodesMade, detail: null), mail: null, ct);
        return Page();
    }

    public async Task<IActionResult> OnPostDeclineAsync(CancellationToken ct)
    {
        if (!await FindVisitAsync(ct) || Visit is not { Partial.SessionId: { } sessionId, Paused: { } paused })
        {
            return Restart();
        }

        await pending.DeclineAsync(paused.Request, sessionId, ct);
        return new SeeOther(Links.Resume(Request, Handle));
    }

    private async ValueTask<OutboxMail?> NoticeAsync(FactorChange change, CancellationToken ct) =>
        await credentials.FindBySubjectAsync(Visit.Partial.Subject, ct) is { } who
            ? notices.Compose(MailKind.FactorChanged, who.User, HttpContext, new MailValues { Change = change })
            : null;

    private AuditEvent Event(string type, string? detail) => new(type, _clock.GetUtcNow())
    {
        Actor = "user:" + Visit.Partial.Subject,
        Subject = Visit.Partial.Subject,
        SessionId = Visit.Partial.SessionId,
        Address = HttpContext.Connection.RemoteIpAddress?.ToString(),
        Detail = detail,
    };
}
