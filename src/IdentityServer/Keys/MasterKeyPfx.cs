using System.Buffers.Binary;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace IdentityServer.Keys;

/// <summary>
/// The master key out of a PKCS#12 file (RFC 7292): derived from the private key alone, so that a renewed certificate for the same key
/// opens the same boxes (docs/adr/0012).
/// </summary>
internal static class MasterKeyPfx
{
    private const int SmallestRsa = 2048;
    private const int SmallestCurve = 256;
    private const int InvalidPassword = unchecked((int)0x80070056);
    private const string DerivationLabel = "identityserver/master-key/";

    // The file is the operator's own, and is read at a start only: a slow password derivation is a virtue, within reason.
    private static readonly Pkcs12LoaderLimits Limits = new(Pkcs12LoaderLimits.Defaults)
    {
        MacIterationLimit = 10_000_000,
        IndividualKdfIterationLimit = 10_000_000,
        TotalKdfIterationLimit = 30_000_000,
    };

    /// <summary>By its name, or by its first bytes: a DER sequence, which no text begins with.</summary>
    public static bool IsOne(string path, ReadOnlySpan<byte> content) =>
        HasItsName(path) || (content.Length > 1 && content[0] == 0x30 && content[1] >= 0x80);

    public static bool HasItsName(string path) => Path.GetExtension(path).ToUpperInvariant() is ".PFX" or ".P12";

    /// <param name="content">The file.</param>
    /// <param name="password">What opens it; empty: none.</param>
    /// <param name="path">Names it in messages.</param>
    /// <param name="setting">The group of settings that a password would stand in.</param>
    /// <exception cref="MasterKeyException">It holds no private key that can be one.</exception>
    public static MasterKey Read(ReadOnlySpan<byte> content, ReadOnlySpan<char> password, string path, string setting)
    {
        if (!AsnDecoder.TryReadEncodedValue(content, AsnEncodingRules.BER, out var tag, out _, out _, out _)
            || !tag.HasSameClassAndValue(Asn1Tag.Sequence))
        {
            throw new MasterKeyException($"The PKCS#12 file {path} is damaged or cut off. Restore it from your backup.");
        }

        var certificates = Load(content, password, path, setting);
        try
        {
            var owned = certificates.Where(certificate => certificate.HasPrivateKey).ToArray();
            var certificate = owned switch
            {
                [var only] => only,
                [] => throw new MasterKeyException(
                    $"The PKCS#12 file {path} holds no certificate with its private key. Export it again, with the private key."),
                _ => throw new MasterKeyException(
                    $"The PKCS#12 file {path} holds {owned.Length} private keys. Export the one that shall be the master key alone."),
            };
            using var key = PrivateKeyOf(certificate, path);
            return new MasterKey(Derive(key, path), isForDevelopment: false)
            {
                Term = new(new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter)),
            };
        }
        finally
        {
            foreach (var certificate in certificates)
            {
                certificate.Dispose();
            }
        }
    }

    /// <summary>
    /// HKDF-SHA-256 over the private key in a form that every file of the same key pair has in common. RSA: the two primes, the smaller
    /// first; the private exponent is not the same in all of them. EC: the private number, with the curve in the label.
    /// </summary>
    internal static byte[] Derive(AsymmetricAlgorithm key, string path)
    {
        try
        {
            return key switch
            {
                RSA rsa => DeriveRsa(rsa, path),
                ECDsa ec => DeriveEc(ec.ExportParameters(includePrivateParameters: true), path),
                ECDiffieHellman ec => DeriveEc(ec.ExportParameters(includePrivateParameters: true), path),
                _ => throw OtherKey(path),
            };
        }
        catch (CryptographicException)
        {
            throw new MasterKeyException(
                $"The private key in {path} cannot be exported, and the master key is made from it. Use a PKCS#12 file whose key is exportable.");
        }
    }

    // Into memory only: nothing of it is written to disk.
    private static X509Certificate2Collection Load(ReadOnlySpan<byte> content, ReadOnlySpan<char> password, string path, string setting)
    {
        try
        {
            return X509CertificateLoader.LoadPkcs12Collection(
                content, password, X509KeyStorageFlags.EphemeralKeySet | X509KeyStorageFlags.Exportable, Limits);
        }
        catch (CryptographicException error) when (error.HResult == InvalidPassword)
        {
            throw new MasterKeyException(password.IsEmpty
                ? $"The PKCS#12 file {path} has a password. Set {setting}:PasswordFile or {setting}:Password."
                : $"The password in the settings ({setting}) does not open the PKCS#12 file {path}; or the file is damaged.");
        }
        catch (Pkcs12LoadLimitExceededException)
        {
            throw new MasterKeyException($"The PKCS#12 file {path} asks for more work than a master key needs. Export it again with ordinary settings.");
        }
        catch (CryptographicException)
        {
            throw new MasterKeyException($"The PKCS#12 file {path} is damaged, or of a kind that this system does not read. Restore or export it again.");
        }
        catch (PlatformNotSupportedException)
        {
            throw new MasterKeyException($"This system cannot read {path} without storing its private key. Use a master key in PEM.");
        }
    }

    // The key usage of a certificate may allow agreement only; here the key does neither, it is only read.
    private static AsymmetricAlgorithm PrivateKeyOf(X509Certificate2 certificate, string path) =>
        (AsymmetricAlgorithm?)certificate.GetRSAPrivateKey()
        ?? (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey()
        ?? certificate.GetECDiffieHellmanPrivateKey()
        ?? throw OtherKey(path);

    private static byte[] DeriveRsa(RSA rsa, string path)
    {
        if (rsa.KeySize < SmallestRsa)
        {
            throw new MasterKeyException($"The RSA key in {path} has {rsa.KeySize} bits; a master key needs {SmallestRsa} or more.");
        }

        var parameters = rsa.ExportParameters(includePrivateParameters: true);
        try
        {
            var p = Number(parameters.P);
            var q = Number(parameters.Q);
            var isOrdered = p.Length < q.Length || (p.Length == q.Length && p.SequenceCompareTo(q) < 0);
            return isOrdered ? Expand("rsa", p, q) : Expand("rsa", q, p);
        }
        finally
        {
            Erase(parameters.D, parameters.P, parameters.Q, parameters.DP, parameters.DQ, parameters.InverseQ);
        }
    }

    private static byte[] DeriveEc(ECParameters parameters, string path)
    {
        try
        {
            if (!parameters.Curve.IsNamed || parameters.Curve.Oid.Value is not { } curve)
            {
                throw new MasterKeyException($"The EC key in {path} is on a curve without a name. Use a named curve, such as P-256.");
            }

            return parameters.Q.X!.Length * 8 < SmallestCurve
                ? throw new MasterKeyException($"The EC key in {path} is on a curve of fewer than {SmallestCurve} bits. Use P-256 or larger.")
                : Expand($"ec/{curve}", Number(parameters.D));
        }
        finally
        {
            Erase(parameters.D);
        }
    }

    // Each number with its length before it, so that no two sequences read alike.
    private static byte[] Expand(string label, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
    {
        var material = new byte[sizeof(int) + first.Length + sizeof(int) + second.Length];
        try
        {
            BinaryPrimitives.WriteInt32BigEndian(material, first.Length);
            first.CopyTo(material.AsSpan(sizeof(int)));
            BinaryPrimitives.WriteInt32BigEndian(material.AsSpan(sizeof(int) + first.Length), second.Length);
            second.CopyTo(material.AsSpan(sizeof(int) + first.Length + sizeof(int)));
            return HKDF.DeriveKey(HashAlgorithmName.SHA256, material, MasterKey.Length, info: Encoding.UTF8.GetBytes(DerivationLabel + label));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(material);
        }
    }

    // Without the zeros in front, which some exports have and others have not.
    private static ReadOnlySpan<byte> Number(byte[]? bigEndian) => bigEndian.AsSpan().TrimStart((byte)0);

    private static void Erase(params ReadOnlySpan<byte[]?> buffers)
    {
        foreach (var buffer in buffers)
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static MasterKeyException OtherKey(string path) => new($"The private key in {path} is neither RSA nor EC. Use one of these.");
}
