using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;

namespace IdentityServer.Testing;

/// <summary>An authenticator app: RFC 6238 written a second time, from the specification, so that it can contradict the server.</summary>
/// <param name="Key">The secret as a person would type it: base32, spaces allowed.</param>
/// <param name="Clock">The phone's clock.</param>
public sealed record AuthenticatorApp(string Key, TimeProvider Clock)
{
    private long _lastStep = long.MinValue;

    /// <summary>A code that was not typed before, as each works once: the one shown now, or the one that comes next.</summary>
    public string NextCode()
    {
        _lastStep = Math.Max(Clock.GetUtcNow().ToUnixTimeSeconds() / 30, _lastStep + 1);
        return CodeOf(Octets(Key), _lastStep);
    }

    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>What the app shows now.</summary>
    public string Code => CodeIn(TimeSpan.Zero);

    /// <summary>What it shows so much later, or earlier.</summary>
    public string CodeIn(TimeSpan time) => CodeOf(Octets(Key), (Clock.GetUtcNow() + time).ToUnixTimeSeconds() / 30);

    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "RFC 6238's default.")]
    private static string CodeOf(byte[] secret, long step)
    {
        var counter = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        var hash = HMACSHA1.HashData(secret, counter);
        var at = hash[19] & 15;
        var number = ((hash[at] & 127) << 24) | (hash[at + 1] << 16) | (hash[at + 2] << 8) | hash[at + 3];
        return (number % 1_000_000).ToString("000000", CultureInfo.InvariantCulture);
    }

    private static byte[] Octets(string key)
    {
        var octets = new List<byte>();
        var (bits, count) = (0UL, 0);
        foreach (var letter in key.Where(letter => !char.IsWhiteSpace(letter)))
        {
            bits = (bits << 5) | (uint)Letters.IndexOf(char.ToUpperInvariant(letter), StringComparison.Ordinal);
            count += 5;
            if (count >= 8)
            {
                count -= 8;
                octets.Add((byte)(bits >> count));
            }
        }

        return [.. octets];
    }
}
