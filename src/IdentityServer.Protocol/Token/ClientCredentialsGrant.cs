using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Scopes;

namespace IdentityServer.Protocol.Token;

/// <summary>A client acting for itself (RFC 6749 §4.4). With JWT access tokens it reads memory only; nothing is stored.</summary>
public sealed class ClientCredentialsGrant(
    ScopeCatalog scopes, TokenIssuer issuer, IGrantStore grants, TimeProvider clock) : ITokenGrant
{
    public string GrantType => GrantTypes.ClientCredentials;

    public async ValueTask<Result<Entitlement>> AuthorizeAsync(TokenRequest request, CancellationToken ct)
    {
        var client = request.Client;
        if (client.IsPublic)
        {
            return ProtocolError.UnauthorizedClient("A public client cannot act for itself.");
        }

        // Scopes about a person make no sense without one.
        if (!scopes.Choose(client.Scopes, request.Parameters["scope"], DefaultScopes(client)).TryGet(out var chosen, out var error))
        {
            return error;
        }

        if (chosen.Any(StandardScopes.All.ContainsKey))
        {
            return ProtocolError.InvalidScope("A scope about a person cannot be given to a client acting for itself.");
        }

        var entitlement = new Entitlement
        {
            Client = client,
            Subject = client.Id,
            Scopes = chosen,
            IssuedAt = clock.GetUtcNow(),
            AccessHandle = TokenIssuer.NewAccessHandle(client),
        };
        if (issuer.RecordOf(entitlement) is { } reference)
        {
            var audit = new AuditEvent(AuditTypes.TokenIssued, entitlement.IssuedAt)
            {
                Actor = "client:" + client.Id,
                ClientId = client.Id,
                Address = request.Address,
            };
            await grants.AddTokenAsync(reference, audit, ct);
        }

        return entitlement;
    }

    // Power over this server is had only by asking for it.
    private static string[] DefaultScopes(Client client) =>
        client.Scopes.Where(scope => !AdminScopes.IsBuiltIn(scope)).Order(StringComparer.Ordinal).ToArray();
}
