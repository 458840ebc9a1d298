using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Grants;

/// <summary>Where grants and their tokens are kept. Each method is one deed, done atomically.</summary>
public interface IGrantStore
{
    /// <summary>Stores a new grant with its code. False when the grant's session has ended or does not exist: then nothing is stored.</summary>
    ValueTask<bool> OpenAsync(Grant grant, TokenRecord code, AuditEvent audit, CancellationToken ct);

    /// <summary>The token with its grant, whatever its state; <see langword="null"/> when unknown.</summary>
    ValueTask<TokenRecord?> FindTokenAsync(TokenKind kind, string hash, CancellationToken ct);

    /// <summary>
    /// Spends a one-time token and stores what takes its place, in one transaction. True for the first caller only, and only
    /// while neither the token nor its grant has ended: the database decides, between requests and between nodes.
    /// </summary>
    /// <param name="token">The token as found.</param>
    /// <param name="successors">
    /// What to store with it: the refresh token, the reference access token, both or none. The refresh token among them becomes
    /// <see cref="TokenRecord.SuccessorHash"/> of the spent one.
    /// </param>
    /// <param name="sealedSuccessor">For <see cref="TokenRecord.SealedSuccessor"/>; <see langword="null"/> for codes.</param>
    /// <param name="now">The instant of the deed.</param>
    /// <param name="audit">The event, stored only if the deed is done.</param>
    /// <param name="ct">Stops waiting; the deed is then done whole or not at all.</param>
    ValueTask<bool> SpendAsync(
        TokenRecord token,
        IReadOnlyList<TokenRecord> successors,
        byte[]? sealedSuccessor,
        DateTimeOffset now,
        AuditEvent audit,
        CancellationToken ct);

    /// <summary>
    /// Stores a further token: a reference access token of a client for itself, or of a refresh retried within the grace
    /// window. False when its grant has ended: then nothing is stored.
    /// </summary>
    ValueTask<bool> AddTokenAsync(TokenRecord token, AuditEvent audit, CancellationToken ct);

    /// <summary>The grant, ended or not.</summary>
    ValueTask<Grant?> FindAsync(string grantId, CancellationToken ct);
}
