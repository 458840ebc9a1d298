using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Protocol.Token;

/// <summary>
/// Keeps a refresh token's successor under a key derived from the spent token's own text: whoever holds the spent token can
/// read it, the database alone cannot (docs/adr/0005).
/// </summary>
public static class SuccessorSeal
{
    private const int NonceLength = 12;
    private const int TagLength = 16;

    private static readonly byte[] Purpose = "refresh-token-successor"u8.ToArray();

    /// <summary>AES-256-GCM: nonce, tag, ciphertext.</summary>
    public static byte[] Seal(string spent, string successor)
    {
        var secret = Encoding.ASCII.GetBytes(successor);
        var box = new byte[NonceLength + TagLength + secret.Length];
        RandomNumberGenerator.Fill(box.AsSpan(0, NonceLength));
        using var aes = new AesGcm(KeyOf(spent), TagLength);
        aes.Encrypt(
            box.AsSpan(0, NonceLength), secret, box.AsSpan(NonceLength + TagLength), box.AsSpan(NonceLength, TagLength));
        return box;
    }

    /// <summary>The successor, or <see langword="null"/> when the box was changed or is another token's.</summary>
    public static string? Open(string spent, ReadOnlySpan<byte> box)
    {
        if (box.Length <= NonceLength + TagLength)
        {
            return null;
        }

        var secret = new byte[box.Length - NonceLength - TagLength];
        using var aes = new AesGcm(KeyOf(spent), TagLength);
        try
        {
            aes.Decrypt(box[..NonceLength], box[(NonceLength + TagLength)..], box.Slice(NonceLength, TagLength), secret);
            return Encoding.ASCII.GetString(secret);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }

    private static byte[] KeyOf(string spent) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.ASCII.GetBytes(spent), 32, salt: null, info: Purpose);
}
