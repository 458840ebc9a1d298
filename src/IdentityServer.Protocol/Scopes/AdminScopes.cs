using System.Collections.Frozen;

namespace IdentityServer.Protocol.Scopes;

/// <summary>
/// The scopes of what this server itself offers to programs: the admin API (docs/admin-api.md) and the revocation feed. They are built in, never part of a default, and lead to the issuer as
/// audience. Metadata does not list them: they are for the few clients that an operator registers for them, not for apps to try.
/// </summary>
public static class AdminScopes
{
    /// <summary>See and change the signing keys.</summary>
    public const string Keys = "admin:keys";

    /// <summary>Help people who cannot sign in: see what they have, unlock, take lost factors away, disable.</summary>
    public const string People = "admin:people";

    /// <summary>See who is signed in, and end it.</summary>
    public const string Sessions = "admin:sessions";

    /// <summary>Follow what has ended (docs/resource-servers.md).</summary>
    public const string Revocations = "revocations";

    public static FrozenDictionary<string, Scope> All { get; } = new Scope[]
    {
        new(Keys)
        {
            DisplayName = "See and change the signing keys",
            Description = "Everything this server signs depends on them.",
            ChangesData = true,
        },
        new(People)
        {
            DisplayName = "Help people who cannot sign in",
            Description = "See how people sign in, unlock them, take lost factors away.",
            ChangesData = true,
        },
        new(Sessions)
        {
            DisplayName = "See and end sessions",
            Description = "See who is signed in and what apps were given; end it.",
            ChangesData = true,
        },
        new(Revocations)
        {
            DisplayName = "Follow what has ended",
            Description = "For APIs that check tokens themselves.",
        },
    }.ToFrozenDictionary(scope => scope.Name, StringComparer.Ordinal);

    /// <summary>True for a scope that exists on every server: a standard one or one of ours.</summary>
    public static bool IsBuiltIn(string name) => StandardScopes.All.ContainsKey(name) || All.ContainsKey(name);
}
