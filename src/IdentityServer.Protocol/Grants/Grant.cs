namespace IdentityServer.Protocol.Grants;

/// <summary>One act of authorization and the parent of everything issued under it (its id is the <c>gid</c>).</summary>
public sealed record Grant
{
    public required string Id { get; init; }

    public required string ClientId { get; init; }

    public required string Subject { get; init; }

    /// <summary>The session it was given in.</summary>
    public required string SessionId { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required DateTimeOffset GrantedAt { get; init; }

    /// <summary>No refresh token of the grant outlives this.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>True with <c>offline_access</c>: the grant survives the person's sign-out. Otherwise it ends with its session.</summary>
    public bool IsOffline { get; init; }

    public required DateTimeOffset AuthenticatedAt { get; init; }

    public required IReadOnlyList<string> Amr { get; init; }

    public required string Acr { get; init; }

    /// <summary>The <c>claims</c> parameter as it was sent (OpenID Connect Core §5.5).</summary>
    public string? ClaimsRequest { get; init; }

    /// <summary>The number of the latest cutoff when it was opened; storage sets it (docs/adr/0017).</summary>
    public long Epoch { get; init; }

    public DateTimeOffset? EndedAt { get; init; }
}

/// <summary>The one-time and opaque tokens that storage knows.</summary>
public enum TokenKind
{
    Code = 0,
    Refresh = 1,

    /// <summary>A reference access token. Not one-time.</summary>
    Reference = 2,
}

/// <summary>A token at rest. Only the hash of its handle is kept.</summary>
public sealed record TokenRecord
{
    /// <summary><see cref="Handle.Hash"/>.</summary>
    public required string Hash { get; init; }

    public required TokenKind Kind { get; init; }

    public required string ClientId { get; init; }

    /// <summary>The grant; <see langword="null"/> only for a reference token of a client acting for itself.</summary>
    public Grant? Grant { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What the kind needs besides, as JSON: a code's redirect URI, challenge and nonce; a reference token's claims.</summary>
    public string? Payload { get; init; }

    public DateTimeOffset? SpentAt { get; init; }

    /// <summary>Ended by itself (RFC 7009), apart from its grant.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Hash of the successor that took its place.</summary>
    public string? SuccessorHash { get; init; }

    /// <summary>The successor's text, sealed under a key derived from this token's own text (docs/adr/0005).</summary>
    public byte[]? SealedSuccessor { get; init; }
}
