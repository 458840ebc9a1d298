using System.Security.Cryptography;
using System.Text;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Mail;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace IdentityServer.SignIn;

/// <summary>
/// Makes and checks recovery codes: 80 random bits each, stored as salted hashes that cost as much as a password's (NIST SP 800-63B-4
/// §3.1.2: look-up secrets under 112 bits).
/// </summary>
public sealed class RecoveryCodes(IRecoveryCodes codes, IOptions<PasswordHasherOptions> cost, TimeProvider clock)
{
    /// <summary>How many a set has.</summary>
    public const int Count = 10;

    /// <summary>From here on a person is told that few are left.</summary>
    public const int Few = 3;

    // Without letters that look like digits, so that a code copied by hand can be read back (Crockford's base 32).
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private const int Length = 16;
    private const int Group = 4;

    /// <summary>A new set, to be shown once; the old one stops working.</summary>
    public async ValueTask<IReadOnlyList<string>> MakeAsync(string subject, AuditEvent audit, OutboxMail? mail, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var salt = RandomNumberGenerator.GetBytes(16);
        var texts = Enumerable.Range(0, Count).Select(_ => RandomNumberGenerator.GetString(Alphabet, Length)).ToArray();
        var rows = await Task.Run(
            () => texts
                .Select(text => new RecoveryCode
                {
                    Id = Handle.NewId(),
                    Subject = subject,
                    Salt = Convert.ToHexString(salt),
                    Hash = HashOf(text, salt),
                    CreatedAt = now,
                })
                .ToArray(),
            ct);
        await codes.ReplaceAsync(subject, rows, audit, mail, ct);
        return [.. texts.Select(Shown)];
    }

    /// <summary>The hash under which a typed code would be stored; costs as much as a password. <see langword="null"/>: it cannot be one.</summary>
    public async ValueTask<string?> HashOfTypedAsync(string subject, string? typed, CancellationToken ct)
    {
        // Without a set there is nothing to compare with, but it shall take as long.
        var salt = (await codes.ListAsync(subject, ct)) is [var first, ..] ? Convert.FromHexString(first.Salt) : new byte[16];
        return Read(typed) is { } code ? HashOf(code, salt) : null;
    }

    /// <summary>As people see it: <c>XXXX-XXXX-XXXX-XXXX</c>.</summary>
    private static string Shown(string code) => string.Join('-', code.Chunk(Group).Select(part => new string(part)));

    // O, I and L are read as the digits they look like.
    private static string? Read(string? typed)
    {
        var text = new string([.. (typed ?? "").ToUpperInvariant()
            .Where(letter => !char.IsWhiteSpace(letter) && letter != '-')
            .Select(letter => letter switch { 'O' => '0', 'I' or 'L' => '1', _ => letter })]);
        return text.Length == Length && text.All(Alphabet.Contains) ? text : null;
    }

    private string HashOf(string code, byte[] salt) => Convert.ToHexString(Rfc2898DeriveBytes.Pbkdf2(
        Encoding.ASCII.GetBytes(code), salt, cost.Value.IterationCount, HashAlgorithmName.SHA512, 32));
}
