using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Scopes;

namespace IdentityServer.Protocol.Introspect;

/// <summary>
/// Tells a client or an API what a token means (RFC 7662). A caller learns only of its own tokens and of those meant for an
/// API it serves; everything else is inactive. Who asks for it gets the answer signed (RFC 9701).
/// </summary>
public sealed class IntrospectEndpoint(
    ClientAuthenticator clients,
    AccessTokenReader accessTokens,
    IGrantStore grants,
    ScopeCatalog scopes,
    TokenIssuer issuer,
    ProtocolOptions options,
    TimeProvider clock)
{
    private const string SignedType = "token-introspection+jwt";

    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        var authenticated = await clients.AuthenticateConfidentialAsync(request, Endpoints.Introspect, ct);
        if (!authenticated.TryGet(out var client, out var error))
        {
            return error;
        }

        if (request.Parameters["token"] is not { } text)
        {
            return ProtocolError.Missing("token");
        }

        // The hint saves a look-up at best and is never trusted (RFC 7662 §2.1).
        var answer = request.Parameters["token_type_hint"] == "refresh_token"
            ? await RefreshTokenAsync(client, text, ct) ?? await AccessTokenAsync(client, text, ct)
            : await AccessTokenAsync(client, text, ct) ?? await RefreshTokenAsync(client, text, ct);
        answer ??= IntrospectionResponse.Inactive;
        return WantsSigned(request.Accept)
            ? Signed(client, answer)
            : new ProtocolResponse.Json(answer, ProtocolJson.Default.IntrospectionResponse);
    }

    /// <summary>True when it is named, and plain JSON is not named as the better one.</summary>
    internal static bool WantsSigned(string? accept)
    {
        var (signed, plain) = (0d, 0d);
        foreach (var range in accept?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            if (MediaTypeWithQualityHeaderValue.TryParse(range, out var named))
            {
                var quality = named.Quality ?? 1;
                signed = IsNamed(named, "application/" + SignedType) ? Math.Max(signed, quality) : signed;
                plain = IsNamed(named, "application/json") ? Math.Max(plain, quality) : plain;
            }
        }

        return signed > 0 && signed >= plain;
    }

    private static bool IsNamed(MediaTypeHeaderValue named, string type) => string.Equals(named.MediaType, type, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// RFC 9701 §5: the answer is one claim of the JWT, so that it can never pass for the token that was asked about; no <c>sub</c>, no
    /// <c>exp</c> beside it (§8.1). Signed with what signs the caller's ID tokens.
    /// </summary>
    private ProtocolResponse.Jwt Signed(Client client, IntrospectionResponse answer)
    {
        var claims = new JsonObject
        {
            ["iss"] = options.Issuer,
            ["aud"] = client.Id,
            ["iat"] = clock.GetUtcNow().ToUnixTimeSeconds(),
            ["token_introspection"] = JsonSerializer.SerializeToNode(answer, ProtocolJson.Default.IntrospectionResponse),
        };
        return new(issuer.Sign(claims, client.IdTokenSigningAlgorithm, SignedType), "application/" + SignedType);
    }

    private async ValueTask<IntrospectionResponse?> AccessTokenAsync(Client client, string text, CancellationToken ct) =>
        await accessTokens.ReadAsync(text, ct) is { } token && (token.ClientId == client.Id || Serves(client, token))
            ? new IntrospectionResponse
            {
                Active = true,
                Issuer = token.Issuer,
                Subject = token.Subject,
                Audience = token.Audience,
                ClientId = token.ClientId,
                Scope = token.Scope,
                TokenType = "Bearer",
                ExpiresAt = token.ExpiresAt,
                IssuedAt = token.IssuedAt,
                Id = token.Id,
                SessionId = token.SessionId,
                GrantId = token.GrantId,
                AuthenticatedAt = token.AuthenticatedAt,
                Acr = token.Acr,
                Amr = token.Amr,
                Epoch = token.Epoch,
            }
            : null;

    private bool Serves(Client client, AccessToken token) => token.Audience.Any(audience =>
        audience == client.Id
        || scopes.FindApi(audience)?.IntrospectionClients.Contains(client.Id, StringComparer.Ordinal) == true);

    private async ValueTask<IntrospectionResponse?> RefreshTokenAsync(Client client, string text, CancellationToken ct) =>
        await grants.FindTokenAsync(TokenKind.Refresh, Handle.HashOf(text), ct)
            is { SpentAt: null, EndedAt: null, Grant: { EndedAt: null } grant } token
            && token.ClientId == client.Id
            && clock.GetUtcNow() < token.ExpiresAt
                ? new IntrospectionResponse
                {
                    Active = true,
                    Issuer = options.Issuer,
                    Subject = grant.Subject,
                    ClientId = token.ClientId,
                    Scope = string.Join(' ', grant.Scopes),
                    ExpiresAt = token.ExpiresAt.ToUnixTimeSeconds(),
                    IssuedAt = token.IssuedAt.ToUnixTimeSeconds(),
                    GrantId = grant.Id,
                }
                : null;
}
