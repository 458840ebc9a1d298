using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Protocol;

/// <summary>A random 256-bit bearer value; callers keep the text, storage keeps the hash.</summary>
/// <param name="Text">43 characters of base64url: what the bearer holds. Never stored, never logged.</param>
/// <param name="Hash">SHA-256 of the text, 64 hexadecimal digits in capitals: what storage holds.</param>
public readonly record struct Handle(string Text, string Hash)
{
    public static Handle Create()
    {
        Span<byte> bytes = stackalloc byte[32];
        RandomNumberGenerator.Fill(bytes);
        return Of(Base64Url.EncodeToString(bytes));
    }

    public static Handle Of(string text) => new(text, HashOf(text));

    public static string HashOf(string text) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Deliberately blank: a handle must not reach a log by accident.</summary>
    public override string ToString() => "[handle]";

    /// <summary>A random public identifier (sid, gid, jti, sub): 128 bits, base64url, 22 characters. Not a secret.</summary>
    public static string NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        return Base64Url.EncodeToString(bytes);
    }
}
