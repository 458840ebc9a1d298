using System.Globalization;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Passkeys;
using IdentityServer.Protocol.Audit;
using IdentityServer.Resources;
using IdentityServer.SignIn;
using IdentityServer.Storage.Factors;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Account;

/// <summary>Why a wish on the page of passkeys was not met.</summary>
public enum PasskeysProblem
{
    Refused,
    TooMany,
    LastFactor,
}

/// <summary>A person's own passkeys: add, rename, remove. Nothing of it without a fresh proof.</summary>
public sealed class PasskeysModel(
    AccountAccess access,
    PasskeySignIn signIn,
    IPasskeys passkeys,
    SignInFlow flow,
    Notices notices,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : AccountPage(access, clock)
{
    private readonly AccountAccess _access = access;

    [BindProperty]
    public string? Id { get; set; }

    [BindProperty]
    public string? Name { get; set; }

    [BindProperty]
    public string? Ceremony { get; set; }

    [BindProperty]
    public string? Credential { get; set; }

    public IReadOnlyList<Passkey> Passkeys { get; private set; } = [];

    public string WayToProof => _access.WayToProof(Request, Visit, Links.PasskeysName);

    public string DefaultName => texts["Passkey_DefaultName", Now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)];

    public PasskeysProblem? Problem => Enum.TryParse<PasskeysProblem>(Fault, out var known) ? known : null;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (!signIn.IsOn)
        {
            return NotFound();
        }

        if (await EnterAsync(Links.PasskeysName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        TakeWords();
        Passkeys = await passkeys.ListAsync(Visit.Subject, ct);
        return Page();
    }

    public async Task<IActionResult> OnPostOptionsAsync(CancellationToken ct) =>
        await EnterToChangeAsync(ct) is null ? await signIn.BeginRegistrationAsync(Visit.Subject, HttpContext, ct) : CeremonyAnswer.None;

    public async Task<IActionResult> OnPostPasskeyAsync(CancellationToken ct)
    {
        if (await EnterToChangeAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var name = PasskeyForm.NameOf(Name, DefaultName);
        var mail = NoticeOf(notices, FactorChange.PasskeyAdded);
        var made = await signIn.AddAsync(Visit.Subject, Visit.Session.Id, name, mail, Ceremony, Credential, HttpContext, ct);
        if (made is not PasskeyRegistration.Added)
        {
            return Refuse((made is PasskeyRegistration.Refused { Reason: PasskeyReasons.TooMany } ? PasskeysProblem.TooMany : PasskeysProblem.Refused).ToString());
        }

        notices.Ring();
        await flow.RenewAsync(Visit.Session, [], "factor_added", HttpContext, ct);
        return Tell(texts["Passkeys_DoneAdded", name], Links.Here(Request));
    }

    public async Task<IActionResult> OnPostRenameAsync(CancellationToken ct)
    {
        if (await EnterToChangeAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var name = PasskeyForm.NameOf(Name, "");
        return name.Length > 0
            && await passkeys.RenameAsync(Visit.Subject, Id ?? "", name, Event(AuditTypes.PasskeyRenamed, Id), ct)
            ? Tell(texts["Passkeys_DoneRenamed", name], Links.Here(Request))
            : new SeeOther(Links.Here(Request));
    }

    public async Task<IActionResult> OnPostRemoveAsync(CancellationToken ct)
    {
        if (await EnterToChangeAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var mail = NoticeOf(notices, FactorChange.PasskeyRemoved);
        var removal = await passkeys.RemoveAsync(
            Visit.Subject, Id ?? "", _access.MustKeepFactor(Visit), Event(AuditTypes.PasskeyRemoved, Id), mail, ct);
        if (removal == PasskeyRemoval.Removed)
        {
            notices.Ring();
            await flow.RenewAsync(Visit.Session, [], "factor_removed", HttpContext, ct);
            return Tell(texts["Passkeys_DoneRemoved"], Links.Here(Request));
        }

        // Not found: another tab was faster, or it is somebody else's.
        return removal == PasskeyRemoval.LastFactor ? Refuse(PasskeysProblem.LastFactor.ToString()) : new SeeOther(Links.Here(Request));
    }

    private async ValueTask<IActionResult?> EnterToChangeAsync(CancellationToken ct) =>
        signIn.IsOn ? await EnterWithProofAsync(Links.PasskeysName, ct) : NotFound();
}
