using IdentityServer.Protocol;
using Microsoft.AspNetCore.Identity;

namespace IdentityServer.Storage.Users;

/// <summary>A person. <see cref="IdentityUser{TKey}.Id"/> is the <c>sub</c>: random, never reused, never changed, and no e-mail.</summary>
public sealed class User : IdentityUser
{
    public User()
    {
        Id = Handle.NewId();
    }

    public User(string userName)
        : this()
    {
        UserName = userName;
    }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>When the person's claims last changed: <c>updated_at</c>.</summary>
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Since when the account may not be used; <see langword="null"/>: it may.</summary>
    public DateTimeOffset? DisabledAt { get; set; }

    /// <summary>When the password was set; <see langword="null"/>: with the account, or there is none.</summary>
    public DateTimeOffset? PasswordChangedAt { get; set; }

    /// <summary>Since when the password may not be used any more, because somebody else may know it; a reset by mail ends that.</summary>
    public DateTimeOffset? PasswordBarredAt { get; set; }

    /// <summary>Signing in always takes a second factor, whatever the app asks for.</summary>
    public bool RequiresSecondFactor { get; set; }

    /// <summary>The whole name as it is shown.</summary>
    public string? Name { get; set; }

    public string? GivenName { get; set; }

    public string? FamilyName { get; set; }

    /// <summary>BCP 47 language tag.</summary>
    public string? Locale { get; set; }

    /// <summary>Further standard claims (OpenID Connect Core §5.1), e.g. <c>address</c>, <c>birthdate</c>, <c>zoneinfo</c>: a JSON object.</summary>
    public string? MoreClaims { get; set; }
}

/// <summary>What a person may do in the administration; see <see cref="Roles"/>.</summary>
public sealed class Role : IdentityRole
{
    public Role()
    {
        Id = Handle.NewId();
    }

    public Role(string name)
        : this()
    {
        Name = name;
        NormalizedName = name.ToUpperInvariant();
    }
}

/// <summary>The roles there are.</summary>
public static class Roles
{
    public const string Admin = "admin";

    /// <summary>Keys and health.</summary>
    public const string Operator = "operator";

    /// <summary>Sessions and unlocking; no clients, no keys.</summary>
    public const string Support = "support";

    /// <summary>Reads everything, changes nothing.</summary>
    public const string Auditor = "auditor";

    public static IReadOnlyList<string> All { get; } = [Admin, Operator, Support, Auditor];
}
