using System.Globalization;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.SignIn;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Account;

/// <summary>Makes a new set of recovery codes and shows it this once: in the answer to the form, and nowhere else.</summary>
public sealed class RecoveryCodesModel(AccountAccess access, RecoveryCodes recovery, PasswordTurns turns, Notices notices, TimeProvider clock)
    : AccountPage(access, clock)
{
    /// <summary>The codes just made; <see langword="null"/>: not asked for yet.</summary>
    public IReadOnlyList<string>? Codes { get; private set; }

    /// <summary>Too many people sign in at this moment.</summary>
    public bool IsBusy { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) => await FindAsync(ct) ?? Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await FindAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        // Ten hashes, each as slow as a password's.
        using var turn = await turns.WaitAsync(isKnown: true, ct);
        if (!turn.IsAcquired)
        {
            IsBusy = true;
            Response.StatusCode = StatusCodes.Status429TooManyRequests;
            Response.Headers.RetryAfter = PasswordSignIn.BusySeconds.ToString(CultureInfo.InvariantCulture);
            return Page();
        }

        var mail = NoticeOf(notices, FactorChange.RecoveryCodesMade);
        Codes = await recovery.MakeAsync(Visit.Subject, Event(AuditTypes.RecoveryCodesMade), mail, ct);
        notices.Ring();
        return Page();
    }

    private async ValueTask<IActionResult?> FindAsync(CancellationToken ct) =>
        await EnterWithProofAsync(Links.RecoveryCodesName, ct) is { } elsewhere ? elsewhere

        // They stand in for a second factor; without one there is nothing to stand in for.
        : Visit.Owned.HasAny ? null
        : new SeeOther(Links.Account(Request, AccountHead.SignIn));
}
