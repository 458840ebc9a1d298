using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.SignIn;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Throttling;
using IdentityServer.Storage.Users;

namespace IdentityServer.Admin;

/// <summary>How helping a person went.</summary>
internal enum HelpOutcome
{
    Done,

    /// <summary>There is no such person.</summary>
    UnknownPerson,

    /// <summary>It is so already.</summary>
    NothingToDo,

    /// <summary>Nobody else could administer the server.</summary>
    LastAdmin,
}

/// <summary>A person and how they can sign in.</summary>
internal sealed record PersonSituation(User User, OwnedFactors Factors, bool IsThrottled);

/// <summary>
/// Helps people who cannot sign in, and shuts out those who must not: for the admin API and the command line. Each deed has a reason, which
/// the audit log keeps.
/// </summary>
internal sealed class PersonHelp(
    ICredentials credentials,
    IFactors factors,
    IAttempts attempts,
    Unlocking unlocking,
    IPersonPolicy policy,
    Revoker revoker,
    IAuditLog audits,
    Lazy<Notices> notices,
    TimeProvider clock)
{
    /// <summary>Longest reason, in UTF-16 units.</summary>
    public const int LongestReason = 200;

    /// <summary>What is wrong with a reason; <see langword="null"/>: nothing.</summary>
    public static string? ReasonFault(string? reason) => Identifiers.DisplayFault(reason ?? "", LongestReason);

    /// <summary>The person of that user name or e-mail address, or of that <c>sub</c>.</summary>
    public async ValueTask<PersonSituation?> FindAsync(string nameOrSubject, CancellationToken ct)
    {
        var found = await credentials.FindAsync(nameOrSubject, ct) ?? await credentials.FindBySubjectAsync(nameOrSubject, ct);
        if (found is null)
        {
            return null;
        }

        var now = clock.GetUtcNow();
        var id = found.User.Id;
        var counts = await attempts.ListAsync(
            [SignInLimits.PasswordOfAccount(id), .. SignInLimits.Factors.Select(factor => SignInLimits.FactorOfAccount(factor, id))], now, ct);
        return new PersonSituation(found.User, await factors.FindAsync(id, ct), counts.Any(count => count.BlockedUntil > now));
    }

    /// <summary>Whatever was counted against the person is forgotten.</summary>
    public async ValueTask<HelpOutcome> UnlockAsync(string subject, string reason, string actor, CancellationToken ct)
    {
        if (await credentials.FindBySubjectAsync(subject, ct) is null)
        {
            return HelpOutcome.UnknownPerson;
        }

        await unlocking.ForgetAllAsync(subject, ct);
        await audits.WriteAsync([Event(AuditTypes.UserUnlocked, subject, reason, actor)], ct);
        return HelpOutcome.Done;
    }

    /// <summary>Takes every second factor away and ends every session: the person signs in with the password and sets up new ones.</summary>
    public async ValueTask<HelpOutcome> ResetFactorsAsync(string subject, string reason, string actor, CancellationToken ct)
    {
        if (await credentials.FindBySubjectAsync(subject, ct) is not { } who)
        {
            return HelpOutcome.UnknownPerson;
        }

        var change = new FactorsRemoved
        {
            Audit = Event(AuditTypes.FactorsReset, subject, reason, actor),
            Mail = notices.Value.Compose(MailKind.SupportReset, who.User, http: null),
        };
        if (await revoker.EndPersonAsync(subject, exceptSessionId: null, change, new Cause("factors_reset", actor, null) { Note = reason }, ct) is null)
        {
            return HelpOutcome.NothingToDo;
        }

        notices.Value.Ring();
        return HelpOutcome.Done;
    }

    /// <summary>The account may not be used any more, and everything it had ends.</summary>
    public async ValueTask<HelpOutcome> DisableAsync(string subject, string reason, string actor, CancellationToken ct)
    {
        if (await credentials.FindBySubjectAsync(subject, ct) is null)
        {
            return HelpOutcome.UnknownPerson;
        }

        var change = new Disabled { Audit = Event(AuditTypes.UserDisabled, subject, reason, actor) };
        return await revoker.EndPersonAsync(subject, exceptSessionId: null, change, new Cause("disabled", actor, null) { Note = reason }, ct) is not null ? HelpOutcome.Done
            : await policy.IsLastAdminAsync(subject, ct) ? HelpOutcome.LastAdmin
            : HelpOutcome.NothingToDo;
    }

    /// <summary>The account may be used again.</summary>
    public async ValueTask<HelpOutcome> EnableAsync(string subject, string reason, string actor, CancellationToken ct) =>
        await credentials.FindBySubjectAsync(subject, ct) is null ? HelpOutcome.UnknownPerson
        : await policy.EnableAsync(subject, Event(AuditTypes.UserEnabled, subject, reason, actor), ct) ? HelpOutcome.Done
        : HelpOutcome.NothingToDo;

    /// <summary>Whether signing in always takes two factors for this person.</summary>
    public async ValueTask<HelpOutcome> RequireSecondFactorAsync(string subject, bool isRequired, string actor, CancellationToken ct)
    {
        var audit = Event(AuditTypes.UserChanged, subject, isRequired ? "second factor required" : "second factor not required", actor);
        return await policy.RequireSecondFactorAsync(subject, isRequired, audit, ct) ? HelpOutcome.Done : HelpOutcome.UnknownPerson;
    }

    private AuditEvent Event(string type, string subject, string detail, string actor) =>
        new(type, clock.GetUtcNow()) { Actor = actor, Subject = subject, Detail = detail };
}
