using System.Globalization;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Passkeys;
using IdentityServer.Protocol.Audit;
using IdentityServer.Resources;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Mail;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
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
    AccountAccess access, PasskeySignIn signIn, IPasskeys passkeys, Notices notices, IStringLocalizer<Texts> texts, TimeProvider clock)
    : PageModel
{
    private const string DoneName = "passkeys.done";
    private const string ProblemName = "passkeys.problem";

    [BindProperty]
    public string? Id { get; set; }

    [BindProperty]
    public string? Name { get; set; }

    [BindProperty]
    public string? Ceremony { get; set; }

    [BindProperty]
    public string? Credential { get; set; }

    public AccountVisit Visit { get; private set; } = null!;

    public IReadOnlyList<Passkey> Passkeys { get; private set; } = [];

    public bool HasProof => access.HasProof(Visit);

    public string WayToProof => access.WayToProof(Request, Visit, Links.PasskeysName);

    public string DefaultName => texts[
        "Passkey_DefaultName", clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)];

    /// <summary>What was just done.</summary>
    public string? Done { get; private set; }

    public PasskeysProblem? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (!signIn.IsOn)
        {
            return NotFound();
        }

        if (await access.FindAsync(HttpContext, ct) is not { } visit)
        {
            return new SeeOther(access.WayToProof(Request, null, Links.PasskeysName));
        }

        Visit = visit;
        Passkeys = await passkeys.ListAsync(visit.Subject, ct);
        Done = TempData[DoneName] as string;
        Problem = TempData[ProblemName] is string problem && Enum.TryParse<PasskeysProblem>(problem, out var known) ? known : null;
        return Page();
    }

    public async Task<IActionResult> OnPostOptionsAsync(CancellationToken ct) =>
        await EnterAsync(ct) is null ? await signIn.BeginRegistrationAsync(Visit.Subject, HttpContext, ct) : CeremonyAnswer.None;

    public async Task<IActionResult> OnPostPasskeyAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var name = PasskeyForm.NameOf(Name, DefaultName);
        var mail = Notice(FactorChange.PasskeyAdded);
        var made = await signIn.AddAsync(Visit.Subject, Visit.Session.Id, name, mail, Ceremony, Credential, HttpContext, ct);
        notices.Ring();
        return made switch
        {
            PasskeyRegistration.Added => Say("Passkeys_DoneAdded", name),
            PasskeyRegistration.Refused { Reason: PasskeyReasons.TooMany } => Say(PasskeysProblem.TooMany),
            _ => Say(PasskeysProblem.Refused),
        };
    }

    public async Task<IActionResult> OnPostRenameAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var name = PasskeyForm.NameOf(Name, "");
        return name.Length > 0
            && await passkeys.RenameAsync(Visit.Subject, Id ?? "", name, Event(AuditTypes.PasskeyRenamed), ct)
            ? Say("Passkeys_DoneRenamed", name)
            : new SeeOther(Links.Here(Request));
    }

    public async Task<IActionResult> OnPostRemoveAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var mail = Notice(FactorChange.PasskeyRemoved);
        var removed = await passkeys.RemoveAsync(
            Visit.Subject, Id ?? "", access.MustKeepFactor(Visit), Event(AuditTypes.PasskeyRemoved), mail, ct);
        notices.Ring();
        return removed switch
        {
            PasskeyRemoval.Removed => Say("Passkeys_DoneRemoved"),
            PasskeyRemoval.LastFactor => Say(PasskeysProblem.LastFactor),

            // Another tab was faster.
            _ => new SeeOther(Links.Here(Request)),
        };
    }

    /// <summary>Finds who wants to change something; where to go first, when that cannot be.</summary>
    private async ValueTask<IActionResult?> EnterAsync(CancellationToken ct)
    {
        if (!signIn.IsOn)
        {
            return NotFound();
        }

        var visit = await access.FindAsync(HttpContext, ct);
        if (visit is null || !access.HasProof(visit))
        {
            return new SeeOther(access.WayToProof(Request, visit, Links.PasskeysName));
        }

        Visit = visit;
        return null;
    }

    private OutboxMail? Notice(FactorChange change) =>
        notices.Compose(MailKind.FactorChanged, Visit.User, HttpContext, new MailValues { Change = change });

    private SeeOther Say(string text, params object[] values)
    {
        TempData[DoneName] = texts[text, values].Value;
        return new SeeOther(Links.Here(Request));
    }

    private SeeOther Say(PasskeysProblem problem)
    {
        TempData[ProblemName] = problem.ToString();
        return new SeeOther(Links.Here(Request));
    }

    private AuditEvent Event(string type) => new(type, clock.GetUtcNow())
    {
        Actor = "user:" + Visit.Subject,
        Subject = Visit.Subject,
        SessionId = Visit.Session.Id,
        Address = HttpContext.Connection.RemoteIpAddress?.ToString(),
        Detail = Id,
    };
}
