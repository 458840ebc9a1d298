using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Keys;

/// <summary>
/// Seals with AES-256-GCM under a key derived per context. A box is: version (1 byte), master key id (8), nonce (12), tag (16),
/// ciphertext. Version, id and context are authenticated. The id picks the key that opens; one alone seals.
/// </summary>
/// <param name="masterKey">Seals, and opens what it sealed.</param>
/// <param name="previous">Open what they sealed once.</param>
public sealed class MasterKeyProtector(MasterKey masterKey, params IReadOnlyList<MasterKey> previous) : IKeyProtector
{
    private const byte Version = 1;
    private const int IdLength = 8;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int NonceAt = 1 + IdLength;
    private const int TagAt = NonceAt + NonceLength;
    private const int HeaderLength = TagAt + TagLength;
    private const int KeyLength = 32;

    private readonly MasterKey[] _keys = [masterKey, .. previous];

    public string MasterKeyId => masterKey.Id;

    /// <summary>The ids of all keys that open, the one that seals first.</summary>
    public IEnumerable<string> KnownIds => _keys.Select(key => key.Id).Distinct(StringComparer.Ordinal);

    /// <summary>The id of the master key that a box says it was sealed under; <see langword="null"/>: this is no box.</summary>
    public static string? SealerOf(ReadOnlySpan<byte> box) =>
        box.Length < HeaderLength || box[0] != Version ? null : Convert.ToHexStringLower(box.Slice(1, IdLength));

    public byte[] Seal(ReadOnlySpan<byte> secret, string context)
    {
        var box = new byte[HeaderLength + secret.Length];
        box[0] = Version;
        Convert.FromHexString(masterKey.Id).CopyTo(box, 1);
        RandomNumberGenerator.Fill(box.AsSpan(NonceAt, NonceLength));

        using var cipher = CipherFor(masterKey, context);
        cipher.Encrypt(
            box.AsSpan(NonceAt, NonceLength), secret, box.AsSpan(HeaderLength), box.AsSpan(TagAt, TagLength), Associated(masterKey, context));
        return box;
    }

    public bool TryOpen(ReadOnlySpan<byte> box, string context, [NotNullWhen(true)] out byte[]? secret)
    {
        secret = null;
        var sealer = SealerOf(box);
        if (Array.Find(_keys, candidate => candidate.Id == sealer) is not { } key)
        {
            return false;
        }

        var opened = new byte[box.Length - HeaderLength];
        using var cipher = CipherFor(key, context);
        try
        {
            cipher.Decrypt(
                box.Slice(NonceAt, NonceLength), box[HeaderLength..], box.Slice(TagAt, TagLength), opened, Associated(key, context));
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        secret = opened;
        return true;
    }

    private static AesGcm CipherFor(MasterKey masterKey, string context)
    {
        Span<byte> key = stackalloc byte[KeyLength];
        masterKey.Derive(context, key);
        try
        {
            return new AesGcm(key, TagLength);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private static byte[] Associated(MasterKey key, string context) =>
        [Version, .. Convert.FromHexString(key.Id), .. Encoding.UTF8.GetBytes(context)];
}
