using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>PKCS#12 files as operators have them.</summary>
internal static class Pfx
{
    public const string Password = "hush-hush";

    /// <summary>A key pair with a certificate for it.</summary>
    public static byte[] Of(
        AsymmetricAlgorithm key, string? password = Password, TimeSpan? from = null, TimeSpan? until = null,
        X509KeyUsageFlags usage = X509KeyUsageFlags.DigitalSignature)
    {
        using var certificate = CertificateFor(key, from, until, usage);
        return certificate.Export(X509ContentType.Pkcs12, password);
    }

    /// <summary>As somebody exports it who follows today's advice for passwords.</summary>
    public static byte[] WithSlowPassword(AsymmetricAlgorithm key)
    {
        using var certificate = CertificateFor(key, null, null, X509KeyUsageFlags.DigitalSignature);
        return certificate.ExportPkcs12(new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 600_000), Password);
    }

    public static byte[] WithoutPrivateKey(AsymmetricAlgorithm key)
    {
        using var certificate = CertificateFor(key, null, null, X509KeyUsageFlags.DigitalSignature);
        using var published = X509CertificateLoader.LoadCertificate(certificate.RawData);
        return published.Export(X509ContentType.Pkcs12, Password)!;
    }

    public static byte[] OfBoth(AsymmetricAlgorithm one, AsymmetricAlgorithm other)
    {
        using var first = CertificateFor(one, null, null, X509KeyUsageFlags.DigitalSignature);
        using var second = CertificateFor(other, null, null, X509KeyUsageFlags.DigitalSignature);
        X509Certificate2[] certificates = [first, second];
        return new X509Certificate2Collection(certificates).Export(X509ContentType.Pkcs12, Password)!;
    }

    private static X509Certificate2 CertificateFor(AsymmetricAlgorithm key, TimeSpan? from, TimeSpan? until, X509KeyUsageFlags usage)
    {
        var request = key is RSA rsa
            ? new CertificateRequest("CN=master key", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=master key", (ECDsa)key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        var (begin, end) = (now + (from ?? TimeSpan.FromDays(-1)), now + (until ?? TimeSpan.FromDays(365)));
        if (key is not ECDsa agreeing || usage != X509KeyUsageFlags.KeyAgreement)
        {
            return request.CreateSelfSigned(begin, end);
        }

        var issuer = X509SignatureGenerator.CreateForECDsa(agreeing);
        using var published = request.Create(request.SubjectName, issuer, begin, end, [1]);
        using var agreement = ECDiffieHellman.Create(agreeing.ExportParameters(includePrivateParameters: true));
        return published.CopyWithPrivateKey(agreement);
    }
}
