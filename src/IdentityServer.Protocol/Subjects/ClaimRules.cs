using System.Text.Json.Nodes;
using IdentityServer.Protocol.Scopes;

namespace IdentityServer.Protocol.Subjects;

/// <summary>Which of a person's claims may be told where: by scope (OpenID Connect Core §5.4) and by the <c>claims</c> parameter (§5.5).</summary>
public static class ClaimRules
{
    /// <summary>Every claim this server can tell of a person, for <c>claims_supported</c>.</summary>
    public static IReadOnlyList<string> Supported { get; } =
        StandardScopes.All.Values.SelectMany(scope => scope.Claims).Distinct(StringComparer.Ordinal).ToArray();

    /// <summary>For UserInfo: what the granted scopes release, and what was asked for by name.</summary>
    public static IEnumerable<KeyValuePair<string, JsonNode>> ForUserInfo(
        SubjectClaims subject, IReadOnlyList<string> scopes, ScopeCatalog catalog, ClaimsRequest requested)
    {
        var released = scopes.SelectMany(scope => catalog.Find(scope)?.Claims ?? []);
        return Pick(subject, released.Concat(requested.UserInfo.Keys));
    }

    /// <summary>For the ID token: only what was asked for by name; the rest waits at UserInfo.</summary>
    public static IEnumerable<KeyValuePair<string, JsonNode>> ForIdToken(SubjectClaims subject, ClaimsRequest requested) =>
        Pick(subject, requested.IdToken.Keys);

    private static IEnumerable<KeyValuePair<string, JsonNode>> Pick(SubjectClaims subject, IEnumerable<string> names) =>
        from name in names.Distinct(StringComparer.Ordinal)
        where Supported.Contains(name) && subject.Claims.ContainsKey(name)
        select KeyValuePair.Create(name, subject.Claims[name]);
}
