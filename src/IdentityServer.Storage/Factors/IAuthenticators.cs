using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;

namespace IdentityServer.Storage.Factors;

/// <summary>Where authenticator apps are kept.</summary>
public interface IAuthenticators
{
    /// <summary>How many a person may have: more help nobody.</summary>
    const int Most = 5;

    /// <summary>Those of a person, the oldest first.</summary>
    ValueTask<IReadOnlyList<Authenticator>> ListAsync(string subject, CancellationToken ct);

    /// <summary>
    /// Adds one whose first code was seen. Devices that were spared the second factor are spared no more. False when the person has
    /// <see cref="Most"/>, or is gone.
    /// </summary>
    ValueTask<bool> AddAsync(Authenticator authenticator, AuditEvent audit, OutboxMail? mail, CancellationToken ct);

    /// <summary>
    /// Accepts a code of this time step, if no code of it or of a later one was accepted before: one statement, so that of two at once,
    /// also on two nodes, one is accepted (RFC 6238 §5.2).
    /// </summary>
    ValueTask<bool> AcceptAsync(string id, long step, DateTimeOffset now, CancellationToken ct);

    /// <summary>Gives it another name; false when the person has no such authenticator.</summary>
    ValueTask<bool> RenameAsync(string subject, string id, string name, AuditEvent audit, CancellationToken ct);

    /// <summary>Removes an authenticator.</summary>
    /// <param name="subject">Whose it is.</param>
    /// <param name="id">Which.</param>
    /// <param name="keepOneFactor">The person may not be without a second factor: the last one, passkey or authenticator, stays.</param>
    /// <param name="audit">Stored only when something was removed.</param>
    /// <param name="mail">Tells the person.</param>
    /// <param name="ct">Stops before the commit.</param>
    ValueTask<AuthenticatorRemoval> RemoveAsync(
        string subject, string id, bool keepOneFactor, AuditEvent audit, OutboxMail? mail, CancellationToken ct);
}

/// <summary>How the wish to remove an authenticator ended.</summary>
public enum AuthenticatorRemoval
{
    Removed,

    NotFound,

    /// <summary>It is the last factor of somebody who must have one.</summary>
    LastFactor,
}
