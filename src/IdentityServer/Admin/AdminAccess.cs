using System.Globalization;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Users;

namespace IdentityServer.Admin;

/// <summary>
/// Who may administer: a client that an operator registered for the scope, or a person with a role. Cookies are never looked at here, so
/// no other site can make a browser call the API.
/// </summary>
internal sealed class AdminAccess(AccessTokenReader tokens, IMemberships memberships, ProtocolOptions options, TimeProvider clock)
{
    private const string Scheme = "Bearer ";

    /// <summary>No token was sent at all.</summary>
    public static ProtocolError NoToken { get; } = new("no_token", "Send an access token in the header Authorization.") { Status = 401 };

    /// <summary>A change by a person takes two factors, at most this old (RFC 9470).</summary>
    private static readonly TimeSpan ProofLifetime = ConsoleAccess.ProofLifetime;

    private const string TooWeak =
        "A change takes a sign-in with two factors, at most 15 minutes old. Ask for one with acr_values and max_age.";

    private static readonly ProtocolError StrongerProof = new("insufficient_user_authentication", TooWeak) { Status = 401 };

    /// <summary>What a client is told that must bring a fresher or stronger proof (RFC 9470 §3).</summary>
    public static string StrongerProofChallenge { get; } = string.Create(
        CultureInfo.InvariantCulture, $"acr_values=\"{AcrValues.Mfa}\", max_age=\"{(int)ProofLifetime.TotalSeconds}\"");

    /// <summary>The actor for the audit log, when the request has a token that allows it in the area.</summary>
    public async ValueTask<Result<string>> AdmitAsync(HttpContext http, AdminArea area, CancellationToken ct)
    {
        // 1 one token, in the header and nowhere else (OAuth 2.1 §5.2)
        var header = http.Request.Headers.Authorization.ToString();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) || header.Length == Scheme.Length)
        {
            return NoToken;
        }

        // 2 alive, and meant for us
        if (await tokens.ReadAsync(header[Scheme.Length..].Trim(), ct) is not { } token)
        {
            return ProtocolError.InvalidToken();
        }

        if (!token.Audience.Contains(options.Issuer, StringComparer.Ordinal))
        {
            return ProtocolError.InvalidToken() with { Description = "The access token is meant for another server." };
        }

        // 3 for this, and of somebody who may
        if (!token.Scopes.Contains(area.Scope, StringComparer.Ordinal))
        {
            return ProtocolError.InsufficientScope(area.Scope);
        }

        if (!token.IsOfPerson)
        {
            return "client:" + token.ClientId;
        }

        if (!await HasRoleAsync(token.Subject, area, ct))
        {
            return new ProtocolError("no_role", $"The person needs the role {string.Join(" or ", area.Roles)}.") { Status = 403 };
        }

        // 4 whoever changes something proved themselves well, and a short while ago
        var isChange = !HttpMethods.IsGet(http.Request.Method) && !HttpMethods.IsHead(http.Request.Method);
        return isChange && !HasProof(token) ? StrongerProof : "user:" + token.Subject;
    }

    private bool HasProof(AccessToken token) =>
        token is { Amr: { } amr, AuthenticatedAt: { } at }
        && AcrValues.Satisfies(AcrValues.Of(amr), AcrValues.Mfa)
        && clock.GetUtcNow().ToUnixTimeSeconds() - at <= ProofLifetime.TotalSeconds;

    private async ValueTask<bool> HasRoleAsync(string subject, AdminArea area, CancellationToken ct) =>
        (await memberships.RolesOfAsync(subject, ct)).Any(area.Roles.Contains);
}

/// <summary>A part of the administration.</summary>
/// <param name="Scope">What a token must allow.</param>
/// <param name="Roles">One of these a person must have.</param>
internal sealed record AdminArea(string Scope, IReadOnlyList<string> Roles)
{
    public static AdminArea Keys { get; } = new(AdminScopes.Keys, [Storage.Users.Roles.Admin, Storage.Users.Roles.Operator]);

    /// <summary>See sessions, grants and receipts, and end those of one person.</summary>
    public static AdminArea Sessions { get; } = new(AdminScopes.Sessions, [Storage.Users.Roles.Admin, Storage.Users.Roles.Support]);

    /// <summary>End what many people have.</summary>
    public static AdminArea ManySessions { get; } = new(AdminScopes.Sessions, [Storage.Users.Roles.Admin]);

    public static AdminArea People { get; } = new(AdminScopes.People, [Storage.Users.Roles.Admin, Storage.Users.Roles.Support]);
}
