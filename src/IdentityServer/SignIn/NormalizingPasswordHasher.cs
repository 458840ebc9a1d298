using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace IdentityServer.SignIn;

/// <summary>
/// Identity's hasher behind one normal form: the same password typed on another keyboard is the same octets. The only place
/// that passwords are hashed or compared.
/// </summary>
public sealed class NormalizingPasswordHasher(IOptions<PasswordHasherOptions> options) : IPasswordHasher<User>
{
    /// <summary>PBKDF2-HMAC-SHA512, by OWASP's figure; raising it rehashes each password at the next sign-in.</summary>
    public const int Iterations = 210_000;

    private readonly PasswordHasher<User> _hasher = new(options);

    public string HashPassword(User user, string password) => _hasher.HashPassword(user, PasswordRules.Normalize(password));

    public PasswordVerificationResult VerifyHashedPassword(User user, string hashedPassword, string providedPassword) =>
        // No password is that long: not worth a hash, and told to nobody.
        providedPassword.Length > PasswordRules.MaxLength * 4
            ? PasswordVerificationResult.Failed
            : _hasher.VerifyHashedPassword(user, hashedPassword, PasswordRules.Normalize(providedPassword));
}
