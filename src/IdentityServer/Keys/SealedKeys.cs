using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.DataProtection;

namespace IdentityServer.Keys;

/// <summary>What the database holds sealed, looked at key by key. Changes nothing.</summary>
public sealed class SealedKeys(IKeyStore keys, IDataProtectionKeys ring, TimeProvider clock)
{
    /// <summary>Every sealed key, and what this protector can do with it; without one nothing opens.</summary>
    public async Task<IReadOnlyList<SealedKey>> ExamineAsync(MasterKeyProtector? protector, CancellationToken ct)
    {
        var factory = protector is null ? null : new KeyFactory(protector, new RsaKeys(), clock);
        var signing = (await keys.ListAsync(ct)).Select(key => Examine(key, protector, factory));
        var cookies = (await ring.ListAsync(ct)).Select(row => Examine(row, protector));
        return [.. signing.Concat(cookies).OfType<SealedKey>()];
    }

    /// <summary>One line for each signing key, and one for the Data Protection keys that share a fate.</summary>
    public static string Describe(IEnumerable<SealedKey> keys) =>
        string.Join(Environment.NewLine, Lines(keys).Select(line => "  - " + line));

    /// <summary>The same, line by line.</summary>
    public static IEnumerable<string> Lines(IEnumerable<SealedKey> keys)
    {
        var all = keys.ToArray();
        return all.Where(key => key.Kind == SealedKeyKind.Signing)
            .Select(key => $"signing key {key.Id} ({key.Algorithm}){Fate(key)}")
            .Concat(all.Where(key => key.Kind == SealedKeyKind.DataProtection)
                .GroupBy(Fate, StringComparer.Ordinal)
                .Select(group => $"{group.Count()} Data Protection key(s){group.Key}"));

        static string Fate(SealedKey key) => key.Fault is { } fault ? $", damaged: {fault}" : $", sealed under master key {key.MasterKeyId}";
    }

    private static SealedKey? Examine(SigningKey key, MasterKeyProtector? protector, KeyFactory? factory)
    {
        var found = new SealedKey(SealedKeyKind.Signing, key.Kid, key.Algorithm, key.MasterKeyId) { IsNeeded = key.RevokedAt is null };
        if (key.ErasedAt is not null)
        {
            // Nothing sealed is left; the public half is still published, or known for old ID tokens.
            return PublicFault(key, null) is { } published ? found with { Fault = published } : null;
        }

        if (key.SealedPrivateKey is not { } box)
        {
            return found with { Fault = "the private key is missing" };
        }

        if (MasterKeyProtector.SealerOf(box) != key.MasterKeyId)
        {
            return found with { Fault = "the sealed private key was cut off or changed" };
        }

        if (protector?.KnownIds.Contains(key.MasterKeyId, StringComparer.Ordinal) != true)
        {
            return found;
        }

        using var opened = factory!.Open(key);
        return opened is null ? found with { Fault = "the sealed private key was cut off or changed" }
            : PublicFault(key, opened) is { } fault ? found with { Fault = fault }
            : found with { IsOpen = true };
    }

    private static string? PublicFault(SigningKey key, AsymmetricAlgorithm? opened)
    {
        try
        {
            using var json = JsonDocument.Parse(key.PublicJwk);
            var jwk = json.RootElement;
            if (jwk.ValueKind != JsonValueKind.Object)
            {
                return "the public JWK is no JSON object";
            }

            var isItsOwn = Holds("kid", key.Kid) && Holds("alg", key.Algorithm) && opened switch
            {
                ECDsa ec => ec.ExportParameters(false).Q is var point && Number("x", point.X) && Number("y", point.Y),
                RSA rsa => rsa.ExportParameters(false) is var numbers && Number("n", numbers.Modulus) && Number("e", numbers.Exponent),
                _ => true,
            };
            return isItsOwn ? null : "the public JWK is not that of the private key";

            bool Number(string name, byte[]? value) => Holds(name, Base64Url.EncodeToString(value));

            bool Holds(string name, string value) =>
                jwk.TryGetProperty(name, out var member) && member.ValueKind == JsonValueKind.String && member.ValueEquals(value);
        }
        catch (JsonException)
        {
            return "the public JWK is not JSON";
        }
    }

    private static SealedKey? Examine(DataProtectionKey row, MasterKeyProtector? protector)
    {
        var found = new SealedKey(SealedKeyKind.DataProtection, $"{row.Id}", null, "");
        if (!DataProtectionRing.TryParse(row, out var element))
        {
            return found with { Fault = "the row is not XML" };
        }

        foreach (var sealedPart in DataProtectionRing.SealedParts(element))
        {
            if (!DataProtectionRing.TryReadBox(sealedPart, out var box) || MasterKeyProtector.SealerOf(box) is not { } sealer)
            {
                return found with { Fault = "the sealed part was cut off or changed" };
            }

            found = found with { MasterKeyId = sealer, IsOpen = false };
            if (protector?.KnownIds.Contains(sealer, StringComparer.Ordinal) != true)
            {
                return found;
            }

            if (!protector.TryOpen(box, DataProtectionRing.Context, out var secret))
            {
                return found with { Fault = "the sealed part was cut off or changed" };
            }

            CryptographicOperations.ZeroMemory(secret);
            found = found with { IsOpen = true };
        }

        // A revocation has no sealed part; a key has.
        return found.IsOpen ? found : element.Name == "key" ? found with { Fault = "the sealed part is missing" } : null;
    }
}

/// <summary>One key in the database, as the master key sees it.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Id">The <c>kid</c>, or the number of the row.</param>
/// <param name="Algorithm">Of a signing key.</param>
/// <param name="MasterKeyId">The master key that sealed it; empty where that cannot be read.</param>
public sealed record SealedKey(SealedKeyKind Kind, string Id, string? Algorithm, string MasterKeyId)
{
    /// <summary>It opens, and what is in it is right.</summary>
    public bool IsOpen { get; init; }

    /// <summary>What is wrong with the row itself; <see langword="null"/> and not open: another master key sealed it.</summary>
    public string? Fault { get; init; }

    /// <summary>False for a revoked signing key: the server does without it.</summary>
    public bool IsNeeded { get; init; } = true;
}

/// <summary>What a sealed key is for.</summary>
public enum SealedKeyKind
{
    Signing,
    DataProtection,
}
