using IdentityServer.Protocol;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Storage.Users;

namespace IdentityServer.Admin;

/// <summary>
/// Who may administer: a client that an operator registered for the scope, or a person with a role. Cookies are never looked at here, so
/// no other site can make a browser call the API.
/// </summary>
internal sealed class AdminAccess(AccessTokenReader tokens, IMemberships memberships, ProtocolOptions options)
{
    private const string Scheme = "Bearer ";

    /// <summary>No token was sent at all.</summary>
    public static ProtocolError NoToken { get; } = new("no_token", "Send an access token in the header Authorization.") { Status = 401 };

    private static readonly ProtocolError NoRole =
        new("no_role", "The person needs the role admin or operator.") { Status = 403 };

    /// <summary>True for a person who may see and change the keys.</summary>
    public async ValueTask<bool> IsOperatorAsync(string subject, CancellationToken ct) =>
        (await memberships.RolesOfAsync(subject, ct)).Any(role => role is Roles.Admin or Roles.Operator);

    /// <summary>The actor for the audit log, when the request has a token that allows <paramref name="scope"/>.</summary>
    public async ValueTask<Result<string>> AdmitAsync(HttpContext http, string scope, CancellationToken ct)
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
        if (!token.Scopes.Contains(scope, StringComparer.Ordinal))
        {
            return ProtocolError.InsufficientScope(scope);
        }

        if (!token.IsOfPerson)
        {
            return "client:" + token.ClientId;
        }

        return await IsOperatorAsync(token.Subject, ct) ? "user:" + token.Subject : NoRole;
    }
}
