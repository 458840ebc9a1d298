using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace IdentityServer.Protocol.Keys;

/// <summary>
/// Makes and opens signing keys: EC P-256 for ES256, P-384 for ES384, RSA 3072 for RS256 and PS256 (ASVS 11.2.3). The platform has no
/// Ed25519, so there is no EdDSA.
/// </summary>
public sealed class KeyFactory(IKeyProtector protector, RsaKeys rsaKeys, TimeProvider clock)
{
    /// <summary>The algorithms this server signs with, most common first.</summary>
    public static IReadOnlyList<string> Algorithms { get; } = ["ES256", "RS256", "PS256", "ES384"];

    /// <summary>A new key.</summary>
    public SigningKey Create(string algorithm)
    {
        // A name that tells its algorithm at a glance, and never starts with the dash of an option.
        var kid = $"{algorithm[..2].ToLowerInvariant()}{algorithm[2]}-{Handle.NewId()}";
        using var key = Generate(algorithm);
        return new SigningKey
        {
            Kid = kid,
            Algorithm = algorithm,
            CreatedAt = clock.GetUtcNow(),
            PublicJwk = PublicJwk(key, kid, algorithm),
            SealedPrivateKey = Seal(key, kid, algorithm),
            MasterKeyId = protector.MasterKeyId,
        };
    }

    /// <summary>The private key, or <see langword="null"/> when the master key does not open it. The caller owns it.</summary>
    public AsymmetricAlgorithm? Open(SigningKey key)
    {
        if (key.SealedPrivateKey is not { } box || !protector.TryOpen(box, Context(key.Kid, key.Algorithm), out var pkcs8))
        {
            return null;
        }

        AsymmetricAlgorithm opened = key.Algorithm.StartsWith("ES", StringComparison.Ordinal) ? ECDsa.Create() : RSA.Create();
        try
        {
            opened.ImportPkcs8PrivateKey(pkcs8, out _);
            return opened;
        }
        catch (CryptographicException)
        {
            opened.Dispose();
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    private AsymmetricAlgorithm Generate(string algorithm) => algorithm switch
    {
        "ES256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        "ES384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        "RS256" or "PS256" => rsaKeys.Create(),
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "Not an algorithm of this server."),
    };

    private byte[] Seal(AsymmetricAlgorithm key, string kid, string algorithm)
    {
        var pkcs8 = key.ExportPkcs8PrivateKey();
        try
        {
            return protector.Seal(pkcs8, Context(kid, algorithm));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(pkcs8);
        }
    }

    /// <summary>The same private key sealed under the current master key, or <see langword="null"/> when none that is known opens it.</summary>
    public byte[]? Reseal(SigningKey key)
    {
        using var opened = Open(key);
        return opened is null ? null : Seal(opened, key.Kid, key.Algorithm);
    }

    private static string Context(string kid, string algorithm) => $"signing-key/{algorithm}/{kid}";

    private static string PublicJwk(AsymmetricAlgorithm key, string kid, string algorithm)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (key is ECDsa ec)
            {
                var point = ec.ExportParameters(false).Q;
                json.WriteString("kty", "EC");
                json.WriteString("crv", ec.KeySize == 256 ? "P-256" : "P-384");
                json.WriteString("x", Base64Url.EncodeToString(point.X));
                json.WriteString("y", Base64Url.EncodeToString(point.Y));
            }
            else
            {
                var rsa = ((RSA)key).ExportParameters(false);
                json.WriteString("kty", "RSA");
                json.WriteString("n", Base64Url.EncodeToString(rsa.Modulus));
                json.WriteString("e", Base64Url.EncodeToString(rsa.Exponent));
            }

            json.WriteString("kid", kid);
            json.WriteString("alg", algorithm);
            json.WriteString("use", "sig");
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }
}
