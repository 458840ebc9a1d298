using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;

namespace IdentityServer.Storage.Factors;

/// <summary>The passkeys of people. A credential belongs to one person at most.</summary>
public interface IPasskeys
{
    /// <summary>How many one person may have.</summary>
    const int Most = 20;

    /// <summary>Adds a passkey that was just registered. Devices that were spared the second factor are spared no more.</summary>
    ValueTask<PasskeyAddition> AddAsync(Passkey passkey, AuditEvent audit, OutboxMail? mail, CancellationToken ct);

    /// <summary>All of a person's, oldest first.</summary>
    ValueTask<IReadOnlyList<Passkey>> ListAsync(string subject, CancellationToken ct);

    /// <summary>The passkey with this credential id, whoever has it.</summary>
    ValueTask<Passkey?> FindAsync(byte[] credentialId, CancellationToken ct);

    /// <summary>False when the person has no such passkey.</summary>
    ValueTask<bool> RenameAsync(string subject, string id, string name, AuditEvent audit, CancellationToken ct);

    /// <summary>Removes a passkey. Devices that were spared the second factor are spared no more.</summary>
    /// <param name="subject">Whose it is.</param>
    /// <param name="id">Which.</param>
    /// <param name="keepOneFactor">The person may not be without a second factor: the last one, passkey or authenticator, stays.</param>
    /// <param name="audit">Stored only when something was removed.</param>
    /// <param name="mail">Tells the person; queued with it.</param>
    /// <param name="ct">Stops before the commit.</param>
    ValueTask<PasskeyRemoval> RemoveAsync(
        string subject, string id, bool keepOneFactor, AuditEvent audit, OutboxMail? mail, CancellationToken ct);

    /// <summary>
    /// Remembers an assertion whose signature is right. False when its counter does not go on from the stored one (WebAuthn Level 3 §7.2
    /// step 22), also when another node was faster with the same assertion; then it must not count. Authenticators that do not count stay
    /// at zero.
    /// </summary>
    ValueTask<bool> RecordUseAsync(Passkey passkey, long signCount, bool isBackedUp, DateTimeOffset now, CancellationToken ct);
}

/// <summary>How the wish to add a passkey ended.</summary>
public enum PasskeyAddition
{
    Added,

    /// <summary>This person, or somebody else, has the credential already.</summary>
    AlreadyRegistered,

    /// <summary>The person has <see cref="IPasskeys.Most"/>.</summary>
    TooMany,

    NoSuchPerson,
}

/// <summary>How the wish to remove a passkey ended.</summary>
public enum PasskeyRemoval
{
    Removed,

    NotFound,

    /// <summary>It is the last factor of somebody who must have one.</summary>
    LastFactor,
}
