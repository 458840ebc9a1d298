namespace IdentityServer.Storage.SignIns;

/// <summary>
/// A sign-in that lacks a factor: between the password and the code, or on the way from a session to a stronger one. The browser
/// holds a handle in a cookie, storage its hash.
/// </summary>
public sealed record PartialSignIn
{
    public required string Hash { get; init; }

    public required string Subject { get; init; }

    /// <summary>What was proven so far (RFC 8176).</summary>
    public required IReadOnlyList<string> Amr { get; init; }

    /// <summary>When the oldest of these proofs was given.</summary>
    public required DateTimeOffset ProvenAt { get; init; }

    /// <summary>The person ticked <em>keep me signed in</em>.</summary>
    public bool KeepSignedIn { get; init; }

    /// <summary>The session that is to become stronger; <see langword="null"/>: there is none yet.</summary>
    public string? SessionId { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}
