using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Protocol.Revoke;

/// <summary>
/// Lets a client end its own tokens (RFC 7009). A refresh token ends its grant and all that came of it; an access token ends
/// alone.
/// </summary>
public sealed class RevokeEndpoint(
    ClientAuthenticator clients, IGrantStore grants, AccessTokenReader accessTokens, Revoker revoker)
{
    private static readonly ProtocolResponse Done = new ProtocolResponse.Empty();

    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        var authenticated = await clients.AuthenticateAsync(request, Endpoints.Revocation, ct);
        if (!authenticated.TryGet(out var client, out var error))
        {
            return error;
        }

        if (request.Parameters["token"] is not { } text)
        {
            return ProtocolError.Missing("token");
        }

        var cause = new Cause("revoked_by_client", "client:" + client.Id, request.Address) { ClientId = client.Id };
        var hash = Handle.HashOf(text);
        if (await grants.FindTokenAsync(TokenKind.Refresh, hash, ct) is { Grant: { } grant } refresh)
        {
            if (refresh.ClientId != client.Id)
            {
                return AnotherClients;
            }

            await revoker.EndGrantAsync(grant, cause, ct);
            return Done;
        }

        if (await accessTokens.ReadAsync(text, ct) is { } token)
        {
            if (token.ClientId != client.Id)
            {
                return AnotherClients;
            }

            await revoker.EndTokenAsync(token, hash, cause with { GrantId = token.GrantId }, ct);
        }

        // Unknown or over: nothing is left to do, and the client is told so (RFC 7009 §2.2).
        return Done;
    }

    // RFC 7009 §2.1: refused, with the error RFC 6749 §5.2 has for a token issued to another client.
    private static ProtocolResponse AnotherClients =>
        ProtocolError.InvalidGrant("The token was not issued to this client.");
}
