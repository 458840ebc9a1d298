using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace IdentityServer.Keys;

/// <summary>
/// The master key as text: PEM (RFC 7468) with a label of our own. A development key carries another label, so that a copy of it is
/// recognised wherever it turns up.
/// </summary>
internal static class MasterKeyPem
{
    private const string Label = "IDENTITYSERVER MASTER KEY";
    private const string DevelopmentLabel = "IDENTITYSERVER DEVELOPMENT MASTER KEY";
    private const string MakeOne = "Make one with: identityserver keys master-key new PATH";

    /// <param name="text">The PEM text, UTF-8.</param>
    /// <param name="place">Where it stands, as the first words of a sentence.</param>
    /// <exception cref="MasterKeyException">It is no master key.</exception>
    public static MasterKey Read(ReadOnlySpan<byte> text, string place)
    {
        if (!PemEncoding.TryFindUtf8(text, out var fields))
        {
            throw text.IndexOf("-----BEGIN IDENTITYSERVER"u8) >= 0
                ? Damaged(place)
                : new MasterKeyException($"{place} is no master key. {MakeOne}");
        }

        var label = Encoding.ASCII.GetString(text[fields.Label]);
        if (label is not (Label or DevelopmentLabel))
        {
            throw new MasterKeyException($"{place} holds a {label}, not a master key. {MakeOne}");
        }

        // Room for one byte more than a key has, so that a longer text is seen to be one.
        Span<byte> secret = stackalloc byte[MasterKey.Length + 1];
        try
        {
            return Base64.DecodeFromUtf8(text[fields.Base64Data], secret, out _, out var length) == OperationStatus.Done
                && length == MasterKey.Length
                    ? new MasterKey(secret[..length].ToArray(), isForDevelopment: label == DevelopmentLabel)
                    : throw Damaged(place);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    public static string Write(MasterKey key)
    {
        var label = key.IsForDevelopment ? DevelopmentLabel : Label;
        return $"""
            IdentityServer master key {key.Id}. Whoever has this file can open every signing key; without it nobody can.
            -----BEGIN {label}-----
            {key.ToBase64()}
            -----END {label}-----

            """.ReplaceLineEndings("\n");
    }

    private static MasterKeyException Damaged(string place) => new($"{place} is a master key that is damaged or cut off. Restore it from your backup.");
}
