namespace IdentityServer.Protocol.Keys;

/// <summary>Where a key stands in its life; never stored, always read off the clock (docs/adr/0006).</summary>
public enum KeyState
{
    /// <summary>In the JWKS, not signing yet.</summary>
    Announced,

    /// <summary>In the JWKS and signing.</summary>
    Active,

    /// <summary>In the JWKS, no longer signing.</summary>
    Retiring,

    /// <summary>Gone from the JWKS.</summary>
    Retired,
}

/// <summary>One signing key.</summary>
public sealed record SigningKey
{
    public required string Kid { get; init; }

    /// <summary>JWA name: <c>ES256</c> or <c>RS256</c>.</summary>
    public required string Algorithm { get; init; }

    /// <summary>The key it follows, or the empty string for the first: unique per algorithm, so two nodes cannot add two successors.</summary>
    public required string Predecessor { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it starts to sign.</summary>
    public required DateTimeOffset ActiveFrom { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>When the private part was erased.</summary>
    public DateTimeOffset? ErasedAt { get; init; }

    /// <summary>The public JWK as JSON, as published.</summary>
    public required string PublicJwk { get; init; }

    /// <summary>PKCS#8, sealed by <see cref="IKeyProtector"/>; <see langword="null"/> once erased.</summary>
    public byte[]? SealedPrivateKey { get; init; }

    /// <summary>Names the master key that sealed it; no secret.</summary>
    public required string MasterKeyId { get; init; }
}

/// <summary>How long keys live.</summary>
public sealed record KeyPolicy
{
    /// <summary>From created to signing: at least the slowest relying party's key cache.</summary>
    public TimeSpan Lead { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long a key stays published after its successor signs: at least the longest token lifetime and skew.</summary>
    public TimeSpan Retiring { get; init; } = TimeSpan.FromHours(24);
}
