namespace IdentityServer.Storage.Factors;

/// <summary>An authenticator app that a person enrolled: a shared secret of RFC 6238. Stored only once its first code was seen.</summary>
public sealed record Authenticator
{
    public required string Id { get; init; }

    public required string Subject { get; init; }

    /// <summary>What the person calls it.</summary>
    public required string Name { get; init; }

    /// <summary>The secret, sealed. Never in clear.</summary>
    public required string SealedSecret { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>The time step of the newest code that was accepted (RFC 6238 §5.2): no code of it or of an older one is accepted again.</summary>
    public required long LastStep { get; init; }
}
