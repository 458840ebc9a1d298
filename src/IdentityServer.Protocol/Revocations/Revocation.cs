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

    /// <summary>A cutoff: all that a person had until then, by <c>sub</c>.</summary>
    Subject = 3,

    /// <summary>A cutoff: all that a client had until then, by <c>client_id</c>.</summary>
    Client = 4,

    /// <summary>A cutoff: all that anybody had until then. Its key is <see cref="Revocation.Everyone"/>.</summary>
    Everything = 5,

    /// <summary>Everything that a signing key signed, by <c>kid</c>. Told to APIs that keep keys; here the key itself is gone.</summary>
    Key = 6,
}

/// <summary>
/// Everything that carries the key is dead from now on; remembered until the last such token has expired anyway. A cutoff ends what is
/// older than itself, however much that is, and what comes after it lives (docs/adr/0017).
/// </summary>
/// <param name="Kind">Which claim <paramref name="Key"/> is compared with.</param>
/// <param name="Key">The <c>jti</c>, <c>gid</c>, <c>sid</c>, <c>sub</c> or <c>client_id</c>.</param>
/// <param name="At">When it ended.</param>
/// <param name="ExpiresAt">When no token that carries the key can be alive any more.</param>
public sealed record Revocation(RevocationKind Kind, string Key, DateTimeOffset At, DateTimeOffset ExpiresAt)
{
    /// <summary>The key of <see cref="RevocationKind.Everything"/>.</summary>
    public const string Everyone = "*";

    /// <summary>Of a cutoff: what carries a lower number is older than it. 0 for the other kinds.</summary>
    public long Epoch { get; init; }

    /// <summary>Of a person's cutoff: the session that goes on, with all that was issued under it.</summary>
    public string? ExceptSessionId { get; init; }

    /// <summary>True when it ends what is older than itself rather than one thing.</summary>
    public bool IsCutoff => Kind is RevocationKind.Subject or RevocationKind.Client or RevocationKind.Everything;
}
