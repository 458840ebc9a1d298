using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.Protocol.EndSession;

/// <summary>Which addresses of apps the sign-out page loads (OpenID Connect Front-Channel Logout 1.0 §2, §3).</summary>
public sealed class FrontChannel(ISessionStore sessions, ClientDirectory clients, ProtocolOptions options, TimeProvider clock)
{
    /// <summary>Those of the apps that took part in the session of this cookie; none while it lives.</summary>
    public async ValueTask<IReadOnlyList<string>> ListAsync(string? sessionHandle, CancellationToken ct)
    {
        if (sessionHandle is not { Length: 43 } text
            || await sessions.FindByHandleAsync(Handle.HashOf(text), ct) is not { } session
            || session.IsLive(clock.GetUtcNow()))
        {
            return [];
        }

        var addresses = new List<string>();
        foreach (var clientId in await sessions.ListClientsAsync(session.Id, ct))
        {
            if (await clients.FindAsync(clientId, ct) is { FrontChannelLogoutUri: { } uri })
            {
                addresses.Add(AddressOf(uri, session.Id));
            }
        }

        return addresses;
    }

    /// <summary>That of one app, which the person left while the session goes on.</summary>
    public IReadOnlyList<string> List(Client app, Session session) =>
        app.FrontChannelLogoutUri is { } uri ? [AddressOf(uri, session.Id)] : [];

    private string AddressOf(string uri, string sessionId) =>
        $"{uri}{(uri.Contains('?', StringComparison.Ordinal) ? '&' : '?')}iss={Uri.EscapeDataString(options.Issuer)}&sid={Uri.EscapeDataString(sessionId)}";
}
