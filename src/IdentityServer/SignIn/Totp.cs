using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;

namespace IdentityServer.SignIn;

/// <summary>
/// Time-based one-time passwords (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds, as every authenticator app makes them.
/// </summary>
public static class Totp
{
    /// <summary>Octets of a secret: as long as SHA-1's output (RFC 4226 §4, R6).</summary>
    public const int SecretLength = 20;

    /// <summary>How many digits a code has.</summary>
    public const int Digits = 6;

    /// <summary>How long a code is shown.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromSeconds(30);

    // One step before and after: 90 seconds in all (ASVS 6.5.5).
    private const int Tolerance = 1;

    /// <summary>A new secret.</summary>
    public static byte[] NewSecret() => RandomNumberGenerator.GetBytes(SecretLength);

    /// <summary>The time step of an instant.</summary>
    public static long StepOf(DateTimeOffset now) => now.ToUnixTimeSeconds() / (long)Step.TotalSeconds;

    /// <summary>The code of a time step (RFC 4226 §5.3).</summary>
    [SuppressMessage("Security", "CA5350:Do Not Use Weak Cryptographic Algorithms", Justification = "HMAC-SHA-1 is what RFC 6238 apps speak; the HMAC is not weakened by SHA-1's collisions.")]
    public static string CodeOf(ReadOnlySpan<byte> secret, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(secret, counter, mac);
        var offset = mac[^1] & 0x0F;
        var number = BinaryPrimitives.ReadUInt32BigEndian(mac[offset..]) & 0x7FFF_FFFF;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }

    /// <summary>The time step whose code this is: the current one or a neighbour; <see langword="null"/>: none. Takes the same time for each.</summary>
    /// <param name="secret">The shared secret.</param>
    /// <param name="code">Six digits.</param>
    /// <param name="now">The instant.</param>
    public static long? Match(ReadOnlySpan<byte> secret, string code, DateTimeOffset now)
    {
        long? matched = null;
        for (var step = StepOf(now) - Tolerance; step <= StepOf(now) + Tolerance; step++)
        {
            if (CryptographicOperations.FixedTimeEquals(
                System.Text.Encoding.ASCII.GetBytes(CodeOf(secret, step)), System.Text.Encoding.ASCII.GetBytes(code)))
            {
                matched = step;
            }
        }

        return matched;
    }

    /// <summary>What was typed, as six digits: apps show a space in the middle. <see langword="null"/>: it is no code.</summary>
    public static string? Read(string? typed)
    {
        var code = typed?.Trim().Replace(" ", "", StringComparison.Ordinal);
        return code?.Length == Digits && code.All(char.IsAsciiDigit) ? code : null;
    }

    /// <summary>The address that a QR code carries (the key URI format of authenticator apps).</summary>
    /// <param name="issuer">The name of this server.</param>
    /// <param name="account">The person's user name.</param>
    /// <param name="secret">The shared secret.</param>
    public static string KeyUri(string issuer, string account, ReadOnlySpan<byte> secret) => string.Create(
        CultureInfo.InvariantCulture,
        $"otpauth://totp/{Uri.EscapeDataString(Label(issuer))}:{Uri.EscapeDataString(account)}?secret={Base32.Encode(secret)}&issuer={Uri.EscapeDataString(Label(issuer))}&algorithm=SHA1&digits={Digits}&period={(int)Step.TotalSeconds}");

    // A colon separates issuer and account.
    private static string Label(string issuer) => issuer.Replace(":", "", StringComparison.Ordinal);
}
