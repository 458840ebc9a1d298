namespace IdentityServer.Protocol.Audit;

/// <summary>
/// What happened, for whoever must explain it later. Stored in the transaction of the deed it describes.
/// Holds identifiers only: no e-mail, no token, no secret.
/// </summary>
/// <param name="Type">The deed in dotted words, e.g. <c>grant.opened</c>; see <see cref="AuditTypes"/>.</param>
/// <param name="At">When it happened.</param>
public sealed record AuditEvent(string Type, DateTimeOffset At)
{
    /// <summary>Who did it: <c>client:ID</c>, <c>user:SUB</c>, <c>cli</c> or <c>system</c>.</summary>
    public string Actor { get; init; } = "system";

    public string? Subject { get; init; }

    public string? ClientId { get; init; }

    public string? SessionId { get; init; }

    public string? GrantId { get; init; }

    /// <summary>Network address the request came from.</summary>
    public string? Address { get; init; }

    /// <summary><c>ok</c> or the error code.</summary>
    public string Outcome { get; init; } = "ok";

    /// <summary>A short fact, e.g. the reason of an ending or a count. Never what a person typed.</summary>
    public string? Detail { get; init; }
}

/// <summary>The audit vocabulary; docs/audit.md explains each.</summary>
public static class AuditTypes
{
    public const string SignedIn = "session.signed_in";
    public const string SignInFailed = "session.sign_in_failed";
    public const string SessionEnded = "session.ended";
    public const string AppInSessionEnded = "session.app_ended";
    public const string PersonEnded = "session.all_of_person_ended";
    public const string EverythingEnded = "session.all_ended";
    public const string SignInRisk = "session.risk";
    public const string SteppedUp = "session.stepped_up";
    public const string SessionRenewed = "session.renewed";
    public const string FactorFailed = "factor.failed";
    public const string FactorAdded = "factor.added";
    public const string FactorChanged = "factor.changed";
    public const string FactorRemoved = "factor.removed";
    public const string RecoveryCodesMade = "factor.recovery_codes_made";
    public const string RecoveryCodeUsed = "factor.recovery_code_used";
    public const string DeviceForgotten = "device.forgotten";
    public const string PasswordChanged = "user.password_changed";
    public const string PasswordBarred = "user.password_barred";
    public const string ConsentGiven = "consent.given";
    public const string ConsentRefused = "consent.refused";
    public const string ConsentRemoved = "consent.removed";
    public const string GrantOpened = "grant.opened";
    public const string GrantEnded = "grant.ended";
    public const string CodeRedeemed = "grant.code_redeemed";
    public const string Refreshed = "grant.refreshed";
    public const string TokenIssued = "token.issued";
    public const string TokenRevoked = "token.revoked";
    public const string ClientTokensEnded = "client.all_tokens_ended";
    public const string TokensIssued = "token.issued_summary";
    public const string KeyCreated = "key.created";
    public const string KeyAnnounced = "key.announced";
    public const string KeyMoved = "key.moved";
    public const string KeyCancelled = "key.cancelled";
    public const string KeyActivated = "key.activated";
    public const string KeyHeld = "key.held";
    public const string KeyReleased = "key.released";
    public const string KeyUndone = "key.undone";
    public const string KeyCompromised = "key.compromised";
    public const string KeyErased = "key.erased";
    public const string KeyPlanChanged = "key.plan_changed";
    public const string KeyResealed = "key.resealed";
    public const string ClientAdded = "client.added";
    public const string ClientChanged = "client.changed";
    public const string ClientDisabled = "client.disabled";
    public const string ClientEnabled = "client.enabled";
    public const string ClientRemoved = "client.removed";
    public const string ScopeAdded = "scope.added";
    public const string ApiAdded = "api.added";
    public const string UserAdded = "user.added";
    public const string UserChanged = "user.changed";
    public const string UserUnlocked = "user.unlocked";
    public const string UserDisabled = "user.disabled";
    public const string UserEnabled = "user.enabled";
    public const string FactorsReset = "factor.all_removed";
    public const string UserDeleted = "user.deleted";
    public const string PasskeyAdded = "passkey.added";
    public const string PasskeyRenamed = "passkey.renamed";
    public const string PasskeyRemoved = "passkey.removed";
    public const string PasskeyRefused = "passkey.refused";
    public const string SetupLinkMade = "setup.link_made";
    public const string SetupCompleted = "setup.completed";
    public const string MailGivenUp = "mail.given_up";
    public const string MailRetried = "mail.retried";
    public const string LogoutGivenUp = "logout.given_up";
    public const string LogoutRetried = "logout.retried";
    public const string MailLinkAsked = "mail.link_asked";
    public const string EmailVerified = "user.email_verified";
    public const string EmailChanged = "user.email_changed";
    public const string UnlockedByMail = "user.unlocked_by_mail";
}
