using System.Collections.Frozen;

namespace IdentityServer.Protocol.Scopes;

/// <summary>The scopes of OpenID Connect Core §5.4 and §11, and the claims they release.</summary>
public static class StandardScopes
{
    public const string OpenId = "openid";
    public const string Profile = "profile";
    public const string Email = "email";
    public const string Address = "address";
    public const string Phone = "phone";
    public const string OfflineAccess = "offline_access";

    public static FrozenDictionary<string, Scope> All { get; } = new Scope[]
    {
        new(OpenId) { Claims = ["sub"] },
        new(Profile)
        {
            Claims =
            [
                "name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
                "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
            ],
        },
        new(Email) { Claims = ["email", "email_verified"] },
        new(Address) { Claims = ["address"] },
        new(Phone) { Claims = ["phone_number", "phone_number_verified"] },
        new(OfflineAccess),
    }.ToFrozenDictionary(scope => scope.Name, StringComparer.Ordinal);
}
