using IdentityServer.Layout;
using IdentityServer.SignIn;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;

namespace IdentityServer.Recovery;

/// <summary>A password that somebody chose at a page of a mailed link: checked, and hashed when it is its turn.</summary>
public sealed class PasswordForm(Brand brand, IPasswordHasher<User> hasher, PasswordTurns turns)
{
    /// <summary>The hash, or why there is none: a fault, or no room at this moment (neither).</summary>
    public async ValueTask<(string? Hash, PasswordFault Fault)> TryHashAsync(User user, string password, CancellationToken ct)
    {
        var fault = PasswordRules.Check(password, PasswordRulesValidator.ContextOf(user, brand));
        if (fault != PasswordFault.None)
        {
            return (null, fault);
        }

        using var turn = await turns.WaitAsync(isKnown: false, ct);
        return turn.IsAcquired ? (await Task.Run(() => hasher.HashPassword(user, password), ct), PasswordFault.None) : (null, PasswordFault.None);
    }

    /// <summary>The person's password is that one already.</summary>
    public async ValueTask<bool> IsCurrentAsync(User user, string password, CancellationToken ct)
    {
        using var turn = await turns.WaitAsync(isKnown: false, ct);
        return user.PasswordHash is { } hash && turn.IsAcquired
            && await Task.Run(() => hasher.VerifyHashedPassword(user, hash, password), ct) != PasswordVerificationResult.Failed;
    }
}
