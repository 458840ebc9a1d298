using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Keys;

/// <summary>
/// Seals with AES-256-GCM under a key derived per context. A box is: version (1 byte), master key id (8), nonce (12), tag (16),
/// ciphertext. Version, id and context are authenticated.
/// </summary>
public sealed class MasterKeyProtector(MasterKey masterKey) : IKeyProtector
{
    private const byte Version = 1;
    private const int IdLength = 8;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int NonceAt = 1 + IdLength;
    private const int TagAt = NonceAt + NonceLength;
    private const int HeaderLength = TagAt + TagLength;
    private const int KeyLength = 32;

    private readonly byte[] _id = Convert.FromHexString(masterKey.Id);

    public string MasterKeyId => masterKey.Id;

    public byte[] Seal(ReadOnlySpan<byte> secret, string context)
    {
        var box = new byte[HeaderLength + secret.Length];
        box[0] = Version;
        _id.CopyTo(box, 1);
        RandomNumberGenerator.Fill(box.AsSpan(NonceAt, NonceLength));

        using var cipher = CipherFor(context);
        cipher.Encrypt(
            box.AsSpan(NonceAt, NonceLength), secret, box.AsSpan(HeaderLength), box.AsSpan(TagAt, TagLength), Associated(context));
        return box;
    }

    public bool TryOpen(ReadOnlySpan<byte> box, string context, [NotNullWhen(true)] out byte[]? secret)
    {
        secret = null;
        if (box.Length < HeaderLength || box[0] != Version || !box.Slice(1, IdLength).SequenceEqual(_id))
        {
            return false;
        }

        var opened = new byte[box.Length - HeaderLength];
        using var cipher = CipherFor(context);
        try
        {
            cipher.Decrypt(box.Slice(NonceAt, NonceLength), box[HeaderLength..], box.Slice(TagAt, TagLength), opened, Associated(context));
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        secret = opened;
        return true;
    }

    private AesGcm CipherFor(string context)
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

    private byte[] Associated(string context) => [Version, .. _id, .. Encoding.UTF8.GetBytes(context)];
}
