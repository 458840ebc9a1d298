using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Keys;

/// <summary>The operator's secret: 256 bits from which every key that seals something is derived.</summary>
public sealed class MasterKey
{
    public const int Length = 32;

    private static readonly byte[] IdLabel = Encoding.UTF8.GetBytes("identityserver/master-key/id");
    private readonly byte[] _secret;

    public MasterKey(byte[] secret, bool isForDevelopment)
    {
        if (secret.Length != Length)
        {
            throw new ArgumentException($"A master key has {Length} bytes.", nameof(secret));
        }

        _secret = secret;
        IsForDevelopment = isForDevelopment;
        Id = Convert.ToHexStringLower(HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 8, info: IdLabel));
    }

    /// <summary>Names the key in lists and messages; says nothing about the secret.</summary>
    public string Id { get; }

    /// <summary>Made by itself at a first start in Development; other environments refuse it.</summary>
    public bool IsForDevelopment { get; }

    /// <summary>The term of the certificate it came with; <see langword="null"/>: it came without.</summary>
    public CertificateTerm? Term { get; init; }

    public static MasterKey Create(bool isForDevelopment) => new(RandomNumberGenerator.GetBytes(Length), isForDevelopment);

    /// <summary>The key for one purpose (HKDF, RFC 5869).</summary>
    public void Derive(string purpose, Span<byte> key) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _secret, key, salt: [], info: Encoding.UTF8.GetBytes("identityserver/seal/" + purpose));

    internal string ToBase64() => Convert.ToBase64String(_secret);

    /// <summary>Deliberately only the id.</summary>
    public override string ToString() => $"master key {Id}";
}

/// <summary>From when until when a certificate says that its key may be used.</summary>
public sealed record CertificateTerm(DateTimeOffset From, DateTimeOffset Until);
