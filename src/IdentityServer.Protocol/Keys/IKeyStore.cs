using System.Diagnostics.CodeAnalysis;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Protocol.Keys;

/// <summary>Where signing keys are kept.</summary>
public interface IKeyStore
{
    /// <summary>Every key there is or was.</summary>
    ValueTask<IReadOnlyList<SigningKey>> ListAsync(CancellationToken ct);

    /// <summary>All keys, activations and plans, as they stood together.</summary>
    ValueTask<KeyRows> LoadAsync(CancellationToken ct);

    /// <summary>
    /// Does all of the change or nothing. False when the algorithm's chain is no longer the one it was decided on: load and decide again.
    /// </summary>
    ValueTask<bool> TryChangeAsync(KeyChange change, AuditEvent audit, CancellationToken ct);

    /// <summary>
    /// Puts the same private key, sealed anew, in the place of <paramref name="box"/>; false when that is no longer the key's box:
    /// somebody else sealed it anew, or the private key was erased.
    /// </summary>
    ValueTask<bool> ResealAsync(string kid, byte[] box, byte[] resealed, string masterKeyId, AuditEvent audit, CancellationToken ct);
}

/// <summary>Everything stored about keys.</summary>
/// <param name="Keys">Oldest first.</param>
/// <param name="Activations">In no order.</param>
/// <param name="Plans">One for each algorithm that has keys.</param>
public sealed record KeyRows(
    IReadOnlyList<SigningKey> Keys, IReadOnlyList<KeyActivation> Activations, IReadOnlyList<KeyPlan> Plans)
{
    public KeyTimeline TimelineOf(string algorithm, KeyPolicy policy) => new(
        Keys.Where(key => key.Algorithm == algorithm), Activations.Where(span => span.Algorithm == algorithm), policy);

    public KeyPlan? PlanOf(string algorithm) => Plans.FirstOrDefault(plan => plan.Algorithm == algorithm);

    public SigningKey? Find(string kid) => Keys.FirstOrDefault(key => key.Kid == kid);
}

/// <summary>A change of the keys of one algorithm, decided on what was loaded.</summary>
public sealed record KeyChange
{
    /// <summary>The plan as it shall be, with the <see cref="KeyPlan.Version"/> that was loaded; the stored one is the next. 0: there was none.</summary>
    public required KeyPlan Plan { get; init; }

    public SigningKey? AddedKey { get; init; }

    public KeyActivation? AddedActivation { get; init; }

    /// <summary>An activation that is stored already, as it shall be.</summary>
    public KeyActivation? ChangedActivation { get; init; }

    /// <summary>The id of an activation that never took effect.</summary>
    public string? RemovedActivation { get; init; }

    /// <summary>A key that is stored already, as it shall be: revoked or erased.</summary>
    public SigningKey? ChangedKey { get; init; }

    /// <summary>What is remembered of a key that is taken back.</summary>
    public KeyEnding? Ended { get; init; }
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
