namespace IdentityServer.Storage.Factors;

/// <summary>One of a person's recovery codes. All of a set share a salt, so that what is typed is hashed once, not ten times.</summary>
public sealed record RecoveryCode
{
    public required string Id { get; init; }

    public required string Subject { get; init; }

    /// <summary>Hexadecimal digits.</summary>
    public required string Salt { get; init; }

    /// <summary>The salted hash, hexadecimal digits. Never the code.</summary>
    public required string Hash { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? UsedAt { get; init; }
}
