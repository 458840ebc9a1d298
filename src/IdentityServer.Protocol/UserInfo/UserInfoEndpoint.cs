using System.Text.Json.Nodes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Subjects;

namespace IdentityServer.Protocol.UserInfo;

/// <summary>Tells an app about the person it has a token of (OpenID Connect Core §5.3).</summary>
public sealed class UserInfoEndpoint(
    AccessTokenReader accessTokens,
    IGrantStore grants,
    ISubjects subjects,
    ScopeCatalog scopes,
    ClientDirectory clients,
    TokenIssuer issuer,
    ProtocolOptions options)
{
    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        // 1 one token, in the header or a form body, never in the address (RFC 6750 §2, OAuth 2.1 §5.2)
        if (!ReadToken(request).TryGet(out var text, out var error))
        {
            return new ProtocolResponse.Challenge(error);
        }

        if (text.Length == 0)
        {
            return new ProtocolResponse.Challenge(null);
        }

        // 2 alive, of a person, and meant for this
        if (await accessTokens.ReadAsync(text, ct) is not { } token)
        {
            return new ProtocolResponse.Challenge(ProtocolError.InvalidToken());
        }

        if (token.GrantId is not { } grantId || !token.Scopes.Contains(StandardScopes.OpenId, StringComparer.Ordinal))
        {
            return new ProtocolResponse.Challenge(ProtocolError.InsufficientScope(StandardScopes.OpenId));
        }

        if (await subjects.FindAsync(token.Subject, ct) is not { } person
            || await grants.FindAsync(grantId, ct) is not { EndedAt: null } grant
            || await clients.FindAsync(token.ClientId, ct) is not { } client)
        {
            return new ProtocolResponse.Challenge(ProtocolError.InvalidToken("the person, grant or client is gone"));
        }

        if (await accessTokens.ReadAsync(text, ct) is null)
        {
            return new ProtocolResponse.Challenge(ProtocolError.InvalidToken("ended meanwhile"));
        }

        // 3 what the scopes and the claims parameter release
        var requested = ClaimsRequest.Parse(grant.ClaimsRequest).TryGet(out var parsed, out _) ? parsed : ClaimsRequest.None;
        var claims = new JsonObject { ["sub"] = token.Subject };
        foreach (var (name, value) in ClaimRules.ForUserInfo(person, token.Scopes, scopes, requested))
        {
            claims.TryAdd(name, value.DeepClone());
        }

        if (client.UserInfoSigningAlgorithm is not { } algorithm)
        {
            return new ProtocolResponse.Utf8Json(System.Text.Encoding.UTF8.GetBytes(claims.ToJsonString()));
        }

        claims["iss"] = options.Issuer;
        claims["aud"] = client.Id;
        return new ProtocolResponse.Jwt(issuer.Sign(claims, algorithm));
    }

    /// <summary>The token; empty when none was sent.</summary>
    private static Result<string> ReadToken(OAuthRequest request)
    {
        const string Scheme = "Bearer ";
        var inBody = request.Method == "POST" ? request.Parameters["access_token"] : null;
        if (request.Authorization is not { } header)
        {
            return inBody ?? "";
        }

        if (inBody is not null)
        {
            return ProtocolError.InvalidRequest("The access token was sent in more than one way.");
        }

        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : "";
    }
}
