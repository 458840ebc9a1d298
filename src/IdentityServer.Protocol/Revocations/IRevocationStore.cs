namespace IdentityServer.Protocol.Revocations;

/// <summary>What has ended.</summary>
public interface IRevocations
{
    /// <summary>Every revocation still worth remembering.</summary>
    ValueTask<IReadOnlyList<Revocation>> ListAsync(DateTimeOffset now, CancellationToken ct);

    /// <summary>A part of the same: of one kind, those with a key behind <paramref name="after"/>, by key, at most 1 000.</summary>
    ValueTask<IReadOnlyList<Revocation>> PageAsync(RevocationKind kind, string after, DateTimeOffset now, CancellationToken ct);
}

/// <summary>
/// The deeds that end things, for the <see cref="Revoker"/> alone. Each is one transaction: the state, the <see cref="Revocation"/> rows, a
/// <c>Changes</c> row for each, the audit event and the receipt. Ending what has ended is harmless and answers false.
/// </summary>
public interface IRevocationStore
{
    /// <summary>Ends one access token: adds the revocation (a JWT's <c>jti</c>), marks the reference token of that hash ended if one is given.</summary>
    ValueTask<bool> EndTokenAsync(Revocation token, string? referenceHash, Ending ending, CancellationToken ct);

    /// <summary>Ends a grant: its refresh tokens, codes and reference tokens are dead with it.</summary>
    ValueTask<bool> EndGrantAsync(Revocation grant, Ending ending, CancellationToken ct);

    /// <summary>
    /// Ends a session and the grants bound to it: those that are not <see cref="Grants.Grant.IsOffline"/>, or all of them when
    /// <paramref name="alsoOffline"/> is set.
    /// </summary>
    /// <returns>What is to be remembered: the session, and each offline grant that ended with it. Nothing when all had ended before.</returns>
    ValueTask<IReadOnlyList<Revocation>> EndSessionAsync(Revocation session, bool alsoOffline, Ending ending, CancellationToken ct);

    /// <summary>
    /// Ends all that a person had but one session, by a cutoff, together with what caused it: the new password, the barred account.
    /// </summary>
    /// <param name="person">Whose, and when: of the kind <see cref="RevocationKind.Subject"/>.</param>
    /// <param name="exceptSessionId">The session that goes on, if it is alive; <see langword="null"/>: none.</param>
    /// <param name="change">What else is changed in the transaction; when that is refused, nothing is done.</param>
    /// <param name="ending">Tells of the ending.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>What is to be remembered; <see langword="null"/> when the change was refused.</returns>
    ValueTask<Revocation?> EndPersonAsync(
        Revocation person, string? exceptSessionId, PersonChange? change, Ending ending, CancellationToken ct);

    /// <summary>Ends all that a client had, by a cutoff, together with what caused it: it was removed, or disabled.</summary>
    /// <param name="client">Whose, and when: of the kind <see cref="RevocationKind.Client"/>.</param>
    /// <param name="change">What else is changed in the transaction; when that is refused, nothing is done.</param>
    /// <param name="ending">Tells of the ending.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>What is to be remembered; <see langword="null"/> when the change was refused.</returns>
    ValueTask<Revocation?> EndClientAsync(Revocation client, ClientChange? change, Ending ending, CancellationToken ct);

    /// <summary>Ends all that everybody had, by a cutoff.</summary>
    /// <param name="everything">When: of the kind <see cref="RevocationKind.Everything"/>.</param>
    /// <param name="ending">Tells of the ending.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>What is to be remembered.</returns>
    ValueTask<Revocation> EndEverythingAsync(Revocation everything, Ending ending, CancellationToken ct);

    /// <summary>A person takes back what they allowed an app: the consent goes, and every grant they gave it ends.</summary>
    /// <param name="person">Whose, and when; <see cref="Revocation.Key"/> is the subject.</param>
    /// <param name="clientId">The app.</param>
    /// <param name="ending">Tells of it; stored when there was something to take back.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>What is to be remembered: each grant that ended. <see langword="null"/> when there was nothing to take back.</returns>
    ValueTask<IReadOnlyList<Revocation>?> EndAppAsync(Revocation person, string clientId, Ending ending, CancellationToken ct);
}
