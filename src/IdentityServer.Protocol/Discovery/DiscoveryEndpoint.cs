using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Protocol.Subjects;

namespace IdentityServer.Protocol.Discovery;

/// <summary>
/// What this server can do (OpenID Connect Discovery §3, RFC 8414 §2): one document at both addresses, prepared. With <c>client_id</c> its
/// <c>jwks_uri</c> is the client's own, so that a rollover can tell who has the new key (docs/adr/0013).
/// </summary>
public sealed class DiscoveryEndpoint(ScopeCatalog scopes, ClientDirectory clients, ProtocolOptions options)
{
    internal const string ClientParameter = "client_id";

    private volatile Prepared? _prepared;

    internal static ProtocolError UnknownClient { get; } =
        ProtocolError.InvalidRequest("There is no such client.", ClientParameter);

    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        var known = scopes.All;
        var prepared = _prepared;
        if (prepared is null || !ReferenceEquals(prepared.Scopes, known))
        {
            _prepared = prepared = new Prepared(known, Document(known.Keys, ""));
        }

        if (request.Parameters[ClientParameter] is not { } clientId)
        {
            return prepared.Plain;
        }

        return await clients.FindAsync(clientId, ct) is { } client
            ? prepared.OfClients.GetOrAdd(client.Id, id => Document(known.Keys, $"?{ClientParameter}={Uri.EscapeDataString(id)}"))
            : UnknownClient;
    }

    private ProtocolResponse.Document Document(IEnumerable<string> scopeNames, string query)
    {
        var body = System.Text.Encoding.UTF8.GetBytes(Metadata(scopeNames, query).ToJsonString());
        var etag = $"\"{Convert.ToHexString(SHA256.HashData(body), 0, 12)}\"";
        return new ProtocolResponse.Document(body, "application/json", etag, options.DocumentMaxAge);
    }

    private JsonObject Metadata(IEnumerable<string> scopeNames, string query)
    {
        var authMethods = new[] { ClientAuthMethods.Basic, ClientAuthMethods.Post, ClientAuthMethods.PrivateKeyJwt };
        var signing = KeyFactory.Algorithms.OrderDescending(StringComparer.Ordinal).ToArray();
        return new JsonObject
        {
            ["issuer"] = options.Issuer,
            ["authorization_endpoint"] = options.Issuer + Endpoints.Authorize,
            ["token_endpoint"] = options.Issuer + Endpoints.Token,
            ["userinfo_endpoint"] = options.Issuer + Endpoints.UserInfo,
            ["jwks_uri"] = options.Issuer + Endpoints.Jwks + query,
            ["introspection_endpoint"] = options.Issuer + Endpoints.Introspect,
            ["revocation_endpoint"] = options.Issuer + Endpoints.Revocation,

            // Ours, in no specification: docs/resource-servers.md.
            ["revocations_endpoint"] = options.Issuer + Endpoints.Revocations,
            ["end_session_endpoint"] = options.Issuer + Endpoints.EndSession,
            ["scopes_supported"] = List(scopeNames.Where(name => !AdminScopes.All.ContainsKey(name)).Order(StringComparer.Ordinal)),
            ["claims_supported"] = List(
                ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", .. ClaimRules.Supported.Where(claim => claim != "sub")]),
            ["claims_parameter_supported"] = true,
            ["response_types_supported"] = List(["code"]),
            ["response_modes_supported"] = List(["query", "fragment", "form_post"]),
            ["grant_types_supported"] = List(
                [GrantTypes.AuthorizationCode, GrantTypes.ClientCredentials, GrantTypes.RefreshToken]),
            ["subject_types_supported"] = List(["public"]),
            ["id_token_signing_alg_values_supported"] = List(signing),
            ["userinfo_signing_alg_values_supported"] = List(signing),
            ["token_endpoint_auth_methods_supported"] = List([.. authMethods, ClientAuthMethods.None]),
            ["token_endpoint_auth_signing_alg_values_supported"] = List(ClientAssertion.Algorithms),
            ["introspection_endpoint_auth_methods_supported"] = List(authMethods),
            ["introspection_endpoint_auth_signing_alg_values_supported"] = List(ClientAssertion.Algorithms),
            ["introspection_signing_alg_values_supported"] = List(signing),
            ["revocation_endpoint_auth_methods_supported"] = List([.. authMethods, ClientAuthMethods.None]),
            ["revocation_endpoint_auth_signing_alg_values_supported"] = List(ClientAssertion.Algorithms),
            ["code_challenge_methods_supported"] = List(["S256"]),
            ["authorization_response_iss_parameter_supported"] = true,
            ["acr_values_supported"] = List(AcrValues.Supported),
            ["prompt_values_supported"] = List(["none", "login", "consent", "select_account"]),
            ["display_values_supported"] = List(["page", "popup"]),
            ["ui_locales_supported"] = List(options.UiLocales),
            ["backchannel_logout_supported"] = true,
            ["backchannel_logout_session_supported"] = true,
            ["frontchannel_logout_supported"] = true,
            ["frontchannel_logout_session_supported"] = true,
            ["request_parameter_supported"] = false,
            ["request_uri_parameter_supported"] = false,
        };
    }

    private static JsonArray List(IEnumerable<string> values) => [.. values.Select(value => JsonValue.Create(value))];

    private sealed record Prepared(IReadOnlyDictionary<string, Scope> Scopes, ProtocolResponse.Document Plain)
    {
        public ConcurrentDictionary<string, ProtocolResponse.Document> OfClients { get; } = new(StringComparer.Ordinal);
    }
}
