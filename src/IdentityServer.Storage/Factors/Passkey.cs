using System.Security.Cryptography;

namespace IdentityServer.Storage.Factors;

/// <summary>A WebAuthn credential of a person (WebAuthn Level 3 §4, credential record).</summary>
public sealed record Passkey
{
    /// <summary>SHA-256 of <see cref="CredentialId"/>, hexadecimal digits: credential ids are longer than what every database indexes.</summary>
    public required string Id { get; init; }

    public required string Subject { get; init; }

    public required byte[] CredentialId { get; init; }

    /// <summary>COSE_Key.</summary>
    public required byte[] PublicKey { get; init; }

    /// <summary>What the person calls it.</summary>
    public required string Name { get; init; }

    /// <summary>Signature counter of the newest assertion; zero for authenticators that do not count.</summary>
    public required long SignCount { get; init; }

    public IReadOnlyList<string> Transports { get; init; } = [];

    /// <summary>User verification happened at registration.</summary>
    public bool IsUserVerified { get; init; }

    /// <summary>The credential may be synced (BE flag); never changes.</summary>
    public bool IsBackupEligible { get; init; }

    /// <summary>The credential was synced when it was last used (BS flag).</summary>
    public bool IsBackedUp { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>The <see cref="Id"/> of the passkey with this credential id.</summary>
    public static string IdOf(ReadOnlySpan<byte> credentialId) => Convert.ToHexString(SHA256.HashData(credentialId));
}
