using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace IdentityServer.Protocol;

/// <summary>
/// Reads <c>application/x-www-form-urlencoded</c> text, as query or body, strictly: a doubled name, an incomplete escape, text
/// that is not UTF-8 and NUL are <c>invalid_request</c> (RFC 6749 §3.1, Appendix B).
/// </summary>
public static class ParameterReader
{
    /// <summary>The most parameters a request may carry.</summary>
    public const int MaxCount = 64;

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    public static Result<Parameters> Read(ReadOnlySpan<byte> encoded)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        while (!encoded.IsEmpty)
        {
            var end = encoded.IndexOf((byte)'&');
            var pair = end < 0 ? encoded : encoded[..end];
            encoded = end < 0 ? default : encoded[(end + 1)..];
            if (pair.IsEmpty)
            {
                continue;
            }

            var equals = pair.IndexOf((byte)'=');
            var name = Decode(equals < 0 ? pair : pair[..equals]);
            var value = equals < 0 ? "" : Decode(pair[(equals + 1)..]);
            if (name is null || value is null)
            {
                return ProtocolError.InvalidRequest("A parameter is not correctly encoded UTF-8.");
            }

            if (values.Count == MaxCount)
            {
                return ProtocolError.InvalidRequest("The request has too many parameters.");
            }

            if (!values.TryAdd(name, value))
            {
                return Doubled(name);
            }
        }

        return new Parameters(values);
    }

    private static ProtocolError Doubled(string name) => IsPlain(name)
        ? ProtocolError.InvalidRequest($"The parameter {name} was sent more than once.", name)
        : ProtocolError.InvalidRequest("A parameter was sent more than once.");

    // Descriptions go back to the caller: repeat a name only when it looks like one of ours.
    private static bool IsPlain(string name) =>
        name.Length <= 40 && name.All(character => char.IsAsciiLetterLower(character) || character == '_');

    /// <summary>The text, or <see langword="null"/> when it is not valid.</summary>
    public static string? Decode(ReadOnlySpan<byte> encoded)
    {
        if (encoded.IndexOfAny((byte)'%', (byte)'+', (byte)0) < 0)
        {
            return Utf8.IsValid(encoded) ? StrictUtf8.GetString(encoded) : null;
        }

        var rented = ArrayPool<byte>.Shared.Rent(encoded.Length);
        try
        {
            return Unescape(encoded, rented, out var length) && Utf8.IsValid(rented.AsSpan(0, length))
                ? StrictUtf8.GetString(rented, 0, length)
                : null;
        }
        finally
        {
            // It may have held a secret.
            ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        }
    }

    private static bool Unescape(ReadOnlySpan<byte> encoded, Span<byte> target, out int length)
    {
        length = 0;
        for (var i = 0; i < encoded.Length; i++)
        {
            var value = encoded[i];
            if (value == (byte)'+')
            {
                value = (byte)' ';
            }
            else if (value == (byte)'%')
            {
                if (i + 2 >= encoded.Length
                    || !char.IsAsciiHexDigit((char)encoded[i + 1])
                    || !char.IsAsciiHexDigit((char)encoded[i + 2]))
                {
                    return false;
                }

                value = (byte)((HexValue(encoded[i + 1]) << 4) | HexValue(encoded[i + 2]));
                i += 2;
            }

            if (value == 0)
            {
                return false;
            }

            target[length++] = value;
        }

        return true;
    }

    private static int HexValue(byte digit) => digit switch
    {
        <= (byte)'9' => digit - '0',
        <= (byte)'F' => digit - 'A' + 10,
        _ => digit - 'a' + 10,
    };
}
