using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Revocations;

/// <summary>
/// The deeds that end things. Each is one transaction: the state, the <see cref="Revocation"/> rows, a <c>Changes</c> row
/// for each, and the audit event. Ending what has ended is harmless and answers false.
/// </summary>
public interface IRevocationStore
{
    /// <summary>Every revocation still worth remembering.</summary>
    ValueTask<IReadOnlyList<Revocation>> ListAsync(DateTimeOffset now, CancellationToken ct);

    /// <summary>A part of the same: of one kind, those with a key behind <paramref name="after"/>, by key, at most 1 000.</summary>
    ValueTask<IReadOnlyList<Revocation>> PageAsync(RevocationKind kind, string after, DateTimeOffset now, CancellationToken ct);

    /// <summary>Ends one access token: adds the revocation (a JWT's <c>jti</c>), marks the reference token of that hash ended if one is given.</summary>
    ValueTask<bool> EndTokenAsync(Revocation token, string? referenceHash, AuditEvent audit, CancellationToken ct);

    /// <summary>Ends a grant: its refresh tokens, codes and reference tokens are dead with it.</summary>
    ValueTask<bool> EndGrantAsync(Revocation grant, AuditEvent audit, CancellationToken ct);

    /// <summary>
    /// Ends a session and the grants bound to it: those that are not <see cref="Grants.Grant.IsOffline"/>, or all of them when
    /// <paramref name="alsoOffline"/> is set.
    /// </summary>
    /// <returns>What is to be remembered: the session, and each offline grant that ended with it. Nothing when all had ended before.</returns>
    ValueTask<IReadOnlyList<Revocation>> EndSessionAsync(Revocation session, bool alsoOffline, AuditEvent audit, CancellationToken ct);

    /// <summary>
    /// Ends every session of a person but one, with every grant under them, together with what caused it: the new password, the barred
    /// account. Of two at once the second finds nothing left to end.
    /// </summary>
    /// <param name="person">Whose, and when; <see cref="Revocation.Key"/> is the subject.</param>
    /// <param name="exceptSessionId">The session that goes on; <see langword="null"/>: none.</param>
    /// <param name="change">What else is changed in the transaction; when that is refused, nothing is done.</param>
    /// <param name="audit">Tells of the ending; stored when something ended.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>What is to be remembered; <see langword="null"/> when the change was refused.</returns>
    ValueTask<IReadOnlyList<Revocation>?> EndPersonAsync(
        Revocation person, string? exceptSessionId, PersonChange? change, AuditEvent audit, CancellationToken ct);

    /// <summary>A person takes back what they allowed an app: the consent goes, and every grant they gave it ends.</summary>
    /// <param name="person">Whose, and when; <see cref="Revocation.Key"/> is the subject.</param>
    /// <param name="clientId">The app.</param>
    /// <param name="audit">Tells of it; stored when there was something to take back.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>What is to be remembered: each grant that ended.</returns>
    ValueTask<IReadOnlyList<Revocation>> EndAppAsync(Revocation person, string clientId, AuditEvent audit, CancellationToken ct);
}
