using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace IdentityServer.Testing;

/// <summary>
/// A signed token taken apart and verified by hand (RFC 7515): tests do not lean on the library the server signs with.
/// </summary>
public sealed record Jwt(string Text, JsonObject Header, JsonObject Claims)
{
    public string? Algorithm => (string?)Header["alg"];

    public string? Kid => (string?)Header["kid"];

    public string? Type => (string?)Header["typ"];

    public string? this[string claim] =>
        Claims[claim] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>The texts of a claim that is a list.</summary>
    public IReadOnlyList<string> List(string claim) =>
        Claims[claim] is JsonArray list ? [.. list.Select(value => (string)value!)] : [];

    public static Jwt Parse(string text)
    {
        var parts = text.Split('.');
        if (parts.Length != 3)
        {
            throw new CheckFailedException("Not a signed token in compact form.");
        }

        return new Jwt(text, Object(parts[0]), Object(parts[1]));
    }

    public static bool LooksLikeOne(string text) => text.Count(letter => letter == '.') == 2;

    /// <summary>Makes an unsigned or badly signed token: for attacks.</summary>
    public static string Forge(JsonObject header, JsonObject claims, ReadOnlySpan<byte> signature) =>
        $"{Encode(header)}.{Encode(claims)}.{Base64Url.EncodeToString(signature)}";

    /// <summary>Signs with a key of the test's own.</summary>
    public static string Sign(JsonObject header, JsonObject claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>Fails unless exactly the named key of the set signed it.</summary>
    public void Verify(JsonObject jwks)
    {
        var keys = jwks["keys"]!.AsArray().OfType<JsonObject>();
        var key = keys.SingleOrDefault(candidate => (string?)candidate["kid"] == Kid)
            ?? throw new CheckFailedException($"No key of the JWKS has the kid {Kid}.");
        if (key["alg"] is { } algorithm && (string?)algorithm != Algorithm)
        {
            throw new CheckFailedException($"The key is for {algorithm}, the token says {Algorithm}.");
        }

        var at = Text.LastIndexOf('.');
        var signed = Encoding.ASCII.GetBytes(Text[..at]);
        if (!Verify(key, signed, Base64Url.DecodeFromChars(Text.AsSpan(at + 1))))
        {
            throw new CheckFailedException("The signature does not verify.");
        }
    }

    /// <summary>The left half of the hash of a value: <c>at_hash</c>, <c>c_hash</c> (OpenID Connect Core §3.1.3.6).</summary>
    public string HalfHashOf(string value)
    {
        var octets = Encoding.ASCII.GetBytes(value);
        return Algorithm switch
        {
            "RS256" or "ES256" or "PS256" => Base64Url.EncodeToString(SHA256.HashData(octets).AsSpan(0, 16)),
            "ES384" => Base64Url.EncodeToString(SHA384.HashData(octets).AsSpan(0, 24)),
            _ => throw new CheckFailedException($"No hash is known here for {Algorithm}."),
        };
    }

    private bool Verify(JsonObject key, byte[] signed, byte[] signature)
    {
        switch (Algorithm)
        {
            case "RS256" or "PS256":
                using (var rsa = RSA.Create(new RSAParameters { Modulus = Part(key, "n"), Exponent = Part(key, "e") }))
                {
                    var padding = Algorithm == "RS256" ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss;
                    return rsa.VerifyData(signed, signature, HashAlgorithmName.SHA256, padding);
                }

            case "ES256" or "ES384":
                var point = new ECPoint { X = Part(key, "x"), Y = Part(key, "y") };
                var curve = Algorithm == "ES256" ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384;
                using (var ecdsa = ECDsa.Create(new ECParameters { Curve = curve, Q = point }))
                {
                    return ecdsa.VerifyData(signed, signature, Algorithm == "ES256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384);
                }

            default:
                throw new CheckFailedException($"Signed with {Algorithm}, which nobody asked for.");
        }
    }

    private static byte[] Part(JsonObject key, string name) => Base64Url.DecodeFromChars((string)key[name]!);

    private static JsonObject Object(string part) =>
        JsonNode.Parse(Base64Url.DecodeFromChars(part)) as JsonObject
        ?? throw new CheckFailedException("A part of the token is no JSON object.");

    private static string Encode(JsonObject part) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(part.ToJsonString()));
}
