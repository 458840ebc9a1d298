using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Protocol.Token;

/// <summary>Proof Key for Code Exchange, S256 only (RFC 7636 §4.6).</summary>
public static class Pkce
{
    /// <summary>True when the verifier has the right form and its hash is the challenge; constant time.</summary>
    public static bool Verify(string verifier, string challenge) =>
        verifier.Length is >= 43 and <= 128
        && verifier.All(IsUnreserved)
        && CryptographicOperations.FixedTimeEquals(
            Encoding.ASCII.GetBytes(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)))),
            Encoding.ASCII.GetBytes(challenge));

    private static bool IsUnreserved(char character) =>
        char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_' or '~';
}
