using System.Runtime.CompilerServices;

namespace IdentityServer.Protocol.Revocations;

/// <summary>What has ended.</summary>
public interface IRevocations
{
    /// <summary>How many are read at once.</summary>
    const int PageSize = 1000;

    /// <summary>
    /// What is still worth remembering: of one kind, those with a key behind <paramref name="after"/>, by key, at most <see cref="PageSize"/>.
    /// </summary>
    ValueTask<IReadOnlyList<Revocation>> PageAsync(RevocationKind kind, string after, DateTimeOffset now, CancellationToken ct);

    /// <summary>All that is still worth remembering, page by page: there may be a million, and a list of them would not be small.</summary>
    async IAsyncEnumerable<IReadOnlyList<Revocation>> PagesAsync(DateTimeOffset now, [EnumeratorCancellation] CancellationToken ct)
    {
        foreach (var kind in Enum.GetValues<RevocationKind>())
        {
            var page = await PageAsync(kind, "", now, ct);
            while (page.Count > 0)
            {
                yield return page;
                page = page.Count < PageSize ? [] : await PageAsync(kind, page[^1].Key, now, ct);
            }
        }
    }
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

    /// <summary>
    /// Ends what an app was given in a session but the <see cref="Grants.Grant.IsOffline"/>; the session goes on, and the app is told as if it
    /// had ended.
    /// </summary>
    /// <param name="session">Which, and when; <see cref="Revocation.Key"/> is the session.</param>
    /// <param name="clientId">The app.</param>
    /// <param name="ending">Tells of it.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>What is to be remembered: each grant that ended. <see langword="null"/> when the app was given nothing in the session.</returns>
    ValueTask<IReadOnlyList<Revocation>?> EndAppInSessionAsync(Revocation session, string clientId, Ending ending, CancellationToken ct);
}
