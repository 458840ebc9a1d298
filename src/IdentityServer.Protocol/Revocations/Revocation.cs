namespace IdentityServer.Protocol.Revocations;

/// <summary>What a revocation ends.</summary>
public enum RevocationKind
{
    /// <summary>One access token, by <c>jti</c>.</summary>
    Token = 0,

    /// <summary>A grant, by <c>gid</c>.</summary>
    Grant = 1,

    /// <summary>A session, by <c>sid</c>.</summary>
    Session = 2,
}

/// <summary>Everything that carries the key is dead from now on; remembered until the last such token has expired anyway.</summary>
/// <param name="Kind">Which claim <paramref name="Key"/> is compared with.</param>
/// <param name="Key">The <c>jti</c>, <c>gid</c> or <c>sid</c>.</param>
/// <param name="At">When it ended.</param>
/// <param name="ExpiresAt">When no token that carries the key can be alive any more.</param>
public sealed record Revocation(RevocationKind Kind, string Key, DateTimeOffset At, DateTimeOffset ExpiresAt);
