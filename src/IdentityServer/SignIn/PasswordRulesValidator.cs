using IdentityServer.Layout;
using IdentityServer.Resources;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Localization;

namespace IdentityServer.SignIn;

/// <summary>Holds every password that <see cref="UserManager{TUser}"/> is given to <see cref="PasswordRules"/>, and says why one is refused.</summary>
public sealed class PasswordRulesValidator(Brand brand, IStringLocalizer<Texts> texts) : IPasswordValidator<User>
{
    /// <summary>Error codes are this, followed by the name of a <see cref="PasswordFault"/>.</summary>
    public const string CodePrefix = "Password";

    /// <summary>The words an attacker tries for this person.</summary>
    public static IEnumerable<string?> ContextOf(User user, Brand brand) =>
        ["IdentityServer", brand.Name, user.UserName, user.Email, user.Name, user.GivenName, user.FamilyName];

    public Task<IdentityResult> ValidateAsync(UserManager<User> manager, User user, string? password)
    {
        var fault = PasswordRules.Check(password ?? "", ContextOf(user, brand));
        return Task.FromResult(fault == PasswordFault.None
            ? IdentityResult.Success
            : IdentityResult.Failed(new IdentityError
            {
                Code = CodePrefix + fault,
                Description = texts[CodePrefix + fault, PasswordRules.MinLength, PasswordRules.MaxLength],
            }));
    }
}
