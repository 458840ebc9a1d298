using System.Security.Cryptography;
using System.Xml.Linq;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.DataProtection;

namespace IdentityServer.Keys;

/// <summary>
/// Seals anew, under the current master key, what a previous one sealed: the last but one step of its rotation (docs/adr/0012).
/// </summary>
public sealed class Resealing(
    IKeyStore keys, IDataProtectionKeys ring, SealedKeys sealedKeys, MasterKeyProtector protector, KeyFactory factory, TimeProvider clock)
{
    /// <summary>
    /// Goes through all rows. Each is a transaction of its own that happens only if the row is still as it was read: it may be stopped
    /// anywhere, run again, and run on two nodes at once. Servers go on meanwhile.
    /// </summary>
    /// <param name="actor">Who asked for it, for the audit log.</param>
    /// <param name="ct">Stops between two rows.</param>
    public async Task<ResealingResult> RunAsync(string actor, CancellationToken ct)
    {
        var signing = 0;
        foreach (var key in await keys.ListAsync(ct))
        {
            ct.ThrowIfCancellationRequested();
            signing += await ResealAsync(key, actor, ct) ? 1 : 0;
        }

        var dataProtection = 0;
        foreach (var row in await ring.ListAsync(ct))
        {
            ct.ThrowIfCancellationRequested();
            dataProtection += await ResealAsync(row, actor, ct) ? 1 : 0;
        }

        var after = await sealedKeys.ExamineAsync(protector, ct);
        return new(protector.MasterKeyId, signing, dataProtection, [.. after.Where(key => !key.IsOpen)]);
    }

    private async Task<bool> ResealAsync(SigningKey key, string actor, CancellationToken ct) =>
        key.SealedPrivateKey is { } box
        && MasterKeyProtector.SealerOf(box) is { } sealer && sealer != protector.MasterKeyId
        && factory.Reseal(key) is { } resealed
        && await keys.ResealAsync(
            key.Kid, box, resealed, protector.MasterKeyId, Audit($"{key.Algorithm} {key.Kid}", sealer, actor), ct);

    private async Task<bool> ResealAsync(DataProtectionKey row, string actor, CancellationToken ct)
    {
        if (!DataProtectionRing.TryParse(row, out var element))
        {
            return false;
        }

        var sealers = new HashSet<string>(StringComparer.Ordinal);
        foreach (var part in DataProtectionRing.SealedParts(element))
        {
            if (!DataProtectionRing.TryReadBox(part, out var box)
                || MasterKeyProtector.SealerOf(box) is not { } sealer
                || !protector.TryOpen(box, DataProtectionRing.Context, out var secret))
            {
                return false;
            }

            part.Value = Convert.ToBase64String(protector.Seal(secret, DataProtectionRing.Context));
            CryptographicOperations.ZeroMemory(secret);
            sealers.Add(sealer);
        }

        sealers.Remove(protector.MasterKeyId);
        return sealers.Count > 0
            && await ring.ResealAsync(
                row, element.ToString(SaveOptions.DisableFormatting), Audit($"data protection {row.Id}", string.Join(' ', sealers), actor), ct);
    }

    private AuditEvent Audit(string what, string sealer, string actor) =>
        new(AuditTypes.KeyResealed, clock.GetUtcNow()) { Actor = actor, Detail = $"{what} from {sealer} to {protector.MasterKeyId}" };
}

/// <summary>What a run did.</summary>
/// <param name="MasterKeyId">The master key that seals everything now that could be opened.</param>
/// <param name="SigningKeys">How many signing keys this run sealed anew.</param>
/// <param name="DataProtectionKeys">How many Data Protection keys.</param>
/// <param name="Closed">What no master key of the settings opens; untouched.</param>
public sealed record ResealingResult(
    string MasterKeyId, int SigningKeys, int DataProtectionKeys, IReadOnlyList<SealedKey> Closed);
