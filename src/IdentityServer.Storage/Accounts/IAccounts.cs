using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Consents;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Risk;

namespace IdentityServer.Storage.Accounts;

/// <summary>What people read and change of their own account; what ends something is a deed of <c>Revoker</c>.</summary>
public interface IAccounts
{
    /// <summary>The person's sessions that nobody ended, the one seen last first; their clocks may have run out.</summary>
    ValueTask<IReadOnlyList<Session>> ListSessionsAsync(string subject, CancellationToken ct);

    /// <summary>What the person allowed, by client.</summary>
    ValueTask<IReadOnlyList<Consent>> ListConsentsAsync(string subject, CancellationToken ct);

    /// <summary>The grants under which an app goes on without the person, the oldest first.</summary>
    ValueTask<IReadOnlyList<Grant>> ListOfflineGrantsAsync(string subject, DateTimeOffset now, CancellationToken ct);

    /// <summary>Replaces what the person says of themselves; <c>updated_at</c> moves with it. False when there is no such person.</summary>
    ValueTask<bool> ChangeProfileAsync(string subject, Profile profile, AuditEvent audit, CancellationToken ct);

    /// <summary>All records about the person that no other port lists.</summary>
    ValueTask<AccountRecords> ReadAsync(string subject, CancellationToken ct);
}

/// <summary>What a person says of themselves. What is <see langword="null"/> is not told to apps.</summary>
/// <param name="Name">The whole name as it is shown.</param>
/// <param name="GivenName">First names.</param>
/// <param name="FamilyName">Last names.</param>
/// <param name="Locale">BCP 47 language tag.</param>
public sealed record Profile(string? Name, string? GivenName, string? FamilyName, string? Locale)
{
    /// <summary>Longest name, in UTF-16 units.</summary>
    public const int LongestName = 256;
}

/// <summary>Records about a person.</summary>
public sealed record AccountRecords
{
    public required IReadOnlyList<string> Roles { get; init; }

    /// <summary>Ended ones too.</summary>
    public required IReadOnlyList<Session> Sessions { get; init; }

    public required IReadOnlyList<Consent> Consents { get; init; }

    /// <summary>Ended ones too.</summary>
    public required IReadOnlyList<Grant> Grants { get; init; }

    public required IReadOnlyList<Place> Places { get; init; }

    public required IReadOnlyList<OutboxMail> Mails { get; init; }

    /// <summary>What was recorded about them, the oldest first.</summary>
    public required IReadOnlyList<AuditEvent> Events { get; init; }
}
