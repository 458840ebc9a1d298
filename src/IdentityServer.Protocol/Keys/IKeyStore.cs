using System.Diagnostics.CodeAnalysis;
using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Keys;

/// <summary>Where signing keys are kept.</summary>
public interface IKeyStore
{
    ValueTask<IReadOnlyList<SigningKey>> ListAsync(CancellationToken ct);

    /// <summary>Adds the key; false when another node already added a successor of the same predecessor.</summary>
    ValueTask<bool> AddAsync(SigningKey key, AuditEvent audit, CancellationToken ct);
}

/// <summary>Seals small secrets at rest under the master key the operator holds.</summary>
public interface IKeyProtector
{
    /// <summary>Names the master key; no secret.</summary>
    string MasterKeyId { get; }

    /// <summary>Seals; <paramref name="context"/> must be the same at opening (it binds the box to its place).</summary>
    byte[] Seal(ReadOnlySpan<byte> secret, string context);

    /// <summary>False when it was sealed under another master key, for another place, or was changed.</summary>
    bool TryOpen(ReadOnlySpan<byte> box, string context, [NotNullWhen(true)] out byte[]? secret);
}
