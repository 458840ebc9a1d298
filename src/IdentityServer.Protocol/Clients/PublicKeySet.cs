using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace IdentityServer.Protocol.Clients;

/// <summary>
/// Reads the public keys a client registers for <c>private_key_jwt</c> (RFC 7517) and keeps only what verifying needs.
/// A private key is refused: it must never have left its owner.
/// </summary>
public static class PublicKeySet
{
    public const int MaxKeys = 20;

    private const int MaxLength = 64 * 1024;
    private static readonly string[] PrivateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    private static readonly string[] KeptMembers = ["kty", "kid", "use", "alg", "crv", "x", "y", "n", "e"];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>True with a JWK Set as JSON text (a single key is wrapped), or false with the fault as a sentence.</summary>
    public static bool TryRead(string json, [NotNullWhen(true)] out string? jwks, [NotNullWhen(false)] out string? fault)
    {
        jwks = null;
        if (json.Length > MaxLength)
        {
            fault = $"The key set is larger than {MaxLength / 1024} KiB.";
            return false;
        }

        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var keys = KeysOf(document.RootElement);
            fault = keys is null ? "The file is neither a JWK nor a JWK Set (an object with an array named keys)." : FaultOf(keys);
            jwks = fault is null ? Write(keys!) : null;
            return fault is null;
        }
        catch (JsonException)
        {
            fault = "The file is not JSON.";
            return false;
        }
    }

    private static JsonElement[]? KeysOf(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        if (root.TryGetProperty("keys", out var keys))
        {
            return keys.ValueKind == JsonValueKind.Array ? [.. keys.EnumerateArray()] : null;
        }

        return root.TryGetProperty("kty", out _) ? [root] : null;
    }

    private static string? FaultOf(JsonElement[] keys)
    {
        if (keys.Length is 0 or > MaxKeys)
        {
            return $"The set holds {keys.Length} keys; it must hold 1 to {MaxKeys}.";
        }

        for (var index = 0; index < keys.Length; index++)
        {
            if (KeyFault(keys[index]) is { } fault)
            {
                return $"Key {index + 1} of {keys.Length} {fault}";
            }
        }

        var named = keys.Select(key => Text(key, "kid")).OfType<string>().ToArray();
        return named.Distinct(StringComparer.Ordinal).Count() == named.Length ? null : "Two keys of the set share one kid.";
    }

    private static string? KeyFault(JsonElement key)
    {
        if (key.ValueKind != JsonValueKind.Object)
        {
            return "is not a JWK.";
        }

        var kind = Text(key, "kty");
        if (kind == "oct")
        {
            return "is a shared secret (kty oct); register a public key.";
        }

        if (PrivateMembers.FirstOrDefault(member => key.TryGetProperty(member, out _)) is { } secret)
        {
            return $"is a private key (it has the member {secret}). Register only the public part, and treat this private key as spent if the file went anywhere.";
        }

        if (key.TryGetProperty("use", out _) && Text(key, "use") != "sig")
        {
            return "is not for signatures: its use must be sig or absent.";
        }

        return key.TryGetProperty("kid", out _) && Text(key, "kid") is not { Length: > 0 and <= 200 }
            ? "has a kid that is not a text of 1 to 200 characters."
            : kind switch
            {
                "RSA" => RsaFault(key),
                "EC" => EcFault(key),
                _ => "has a kty that is not supported; use RSA or EC.",
            };
    }

    private static string? RsaFault(JsonElement key)
    {
        if (key.TryGetProperty("alg", out _) && Text(key, "alg") is not ("RS256" or "PS256"))
        {
            return "has an alg that does not fit; for an RSA key use RS256 or PS256.";
        }

        if (Bytes(key, "n") is not { } modulus || Bytes(key, "e") is not { } exponent)
        {
            return "has no readable n and e.";
        }

        try
        {
            using var rsa = RSA.Create(new RSAParameters { Modulus = TrimZeros(modulus), Exponent = TrimZeros(exponent) });
            return rsa.KeySize is < 2048 or > 8192 ? $"is an RSA key of {rsa.KeySize} bits; use 2048 to 8192."
                : exponent is [.., 1] && TrimZeros(exponent).Length == 1 || exponent[^1] % 2 == 0 ? "has an e that no RSA key has."
                : null;
        }
        catch (CryptographicException)
        {
            return "has no readable n and e.";
        }
    }

    private static string? EcFault(JsonElement key)
    {
        if (key.TryGetProperty("alg", out _) && Text(key, "alg") != "ES256")
        {
            return "has an alg that does not fit; for an EC key use ES256.";
        }

        if (Text(key, "crv") != "P-256")
        {
            return "is not on the curve P-256, which ES256 needs.";
        }

        if (Bytes(key, "x") is not { Length: 32 } x || Bytes(key, "y") is not { Length: 32 } y)
        {
            return "has no readable x and y.";
        }

        try
        {
            using var ec = ECDsa.Create(
                new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
            return null;
        }
        catch (CryptographicException)
        {
            return "is not a point of the curve P-256.";
        }
    }

    private static string Write(JsonElement[] keys)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("keys");
            foreach (var key in keys)
            {
                writer.WriteStartObject();
                foreach (var member in KeptMembers)
                {
                    if (Text(key, member) is { } value)
                    {
                        writer.WriteString(member, value);
                    }
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static string? Text(JsonElement key, string member) =>
        key.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement key, string member)
    {
        try
        {
            return Text(key, member) is { Length: > 0 and <= 2048 } text ? Base64Url.DecodeFromChars(text) : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static byte[] TrimZeros(byte[] number) => [.. number.SkipWhile(value => value == 0)];
}
