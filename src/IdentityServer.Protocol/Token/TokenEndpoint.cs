using System.Collections.Frozen;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Issuance;

namespace IdentityServer.Protocol.Token;

/// <summary>The token endpoint (RFC 6749 §3.2): authenticate, authorize, issue, in that order.</summary>
public sealed class TokenEndpoint(
    ClientAuthenticator clients, IEnumerable<ITokenGrant> grants, TokenIssuer issuer, IssuanceLedger ledger)
{
    private readonly FrozenDictionary<string, ITokenGrant> _grants =
        grants.ToFrozenDictionary(grant => grant.GrantType, StringComparer.Ordinal);

    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        var authenticated = await clients.AuthenticateAsync(request, Endpoints.Token, ct);
        if (!authenticated.TryGet(out var client, out var error))
        {
            return error;
        }

        if (request.Parameters["grant_type"] is not { } grantType)
        {
            return ProtocolError.Missing("grant_type");
        }

        if (!_grants.TryGetValue(grantType, out var grant))
        {
            return ProtocolError.UnsupportedGrantType;
        }

        if (!client.MayUse(grantType))
        {
            return ProtocolError.UnauthorizedClient("The client may not use this grant type.");
        }

        var authorized = await grant.AuthorizeAsync(new TokenRequest(client, request.Parameters, request.Address), ct);
        if (!authorized.TryGet(out var entitlement, out error))
        {
            return error;
        }

        // What changed state was audited with its deed.
        if (entitlement is { Grant: null, AccessHandle: null })
        {
            ledger.Count(client.Id, grantType);
        }

        return new ProtocolResponse.Json(await issuer.IssueAsync(entitlement, ct), ProtocolJson.Default.TokenResponse);
    }
}
