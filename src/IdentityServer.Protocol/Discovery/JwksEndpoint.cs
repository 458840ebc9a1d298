using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Protocol.Discovery;

/// <summary>
/// The published keys, prepared (RFC 7517 §5). With <c>client_id</c> it is the address of one client: the same document, and a note that
/// this client has these keys (docs/adr/0013).
/// </summary>
public sealed class JwksEndpoint(SigningKeyRing keys, KeyFetchLedger fetches, ClientDirectory clients, KeyPolicy policy)
{
    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        var current = keys.Current;
        if (request.Parameters[DiscoveryEndpoint.ClientParameter] is { } clientId)
        {
            if (await clients.FindAsync(clientId, ct) is not { } client)
            {
                return DiscoveryEndpoint.UnknownClient;
            }

            fetches.Note(client.Id, current.Published.Keys);
        }

        return new ProtocolResponse.Document(current.Jwks, "application/jwk-set+json", current.ETag, policy.DocumentMaxAge);
    }
}
