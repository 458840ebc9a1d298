using IdentityServer.Protocol.Grants;

namespace IdentityServer.Storage.Grants;

/// <summary>A token as it lies in the table: <see cref="TokenRecord"/> with its grant's id in place of the grant.</summary>
public sealed record TokenRow
{
    public required string Hash { get; init; }

    public required TokenKind Kind { get; init; }

    public required string ClientId { get; init; }

    public string? GrantId { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public string? Payload { get; init; }

    public DateTimeOffset? SpentAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public string? SuccessorHash { get; init; }

    public byte[]? SealedSuccessor { get; init; }
}
