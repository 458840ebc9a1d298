using IdentityServer.Protocol;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.SignIn;

/// <summary>
/// The cookie that says which session a browser is in: the text of a <see cref="Handle"/>, nothing else. Everything about
/// the session is in the session's record, so a copied or forged cookie can be ended, and carries nothing to read.
/// </summary>
public sealed class SessionCookie(ISessionStore sessions, ProtocolOptions options, TimeProvider clock)
{
    private readonly CookieBuilder _cookie = CookieNames.Builder(options.Issuer, "session");

    /// <summary>The cookie's name: <c>__Host-identity.session</c> over https.</summary>
    public string Name => _cookie.Name!;

    /// <summary>The handle the browser sent; <see langword="null"/> when there is none or it cannot be one.</summary>
    public string? ReadHandle(HttpContext http) =>
        http.Request.Cookies[Name] is { Length: 43 } handle ? handle : null;

    /// <summary>Gives the browser the session's handle; it outlives the browser only if the person asked to be kept signed in.</summary>
    public void Write(HttpContext http, Session session, Handle handle)
    {
        var cookie = _cookie.Build(http);
        if (session.KeepSignedIn)
        {
            cookie.Expires = session.ExpiresAt;
        }

        http.Response.Cookies.Append(Name, handle.Text, cookie);
    }

    public void Delete(HttpContext http) => http.Response.Cookies.Delete(Name, _cookie.Build(http));

    /// <summary>The browser's session if it is live, marked as seen now.</summary>
    public async ValueTask<Session?> FindSessionAsync(HttpContext http, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (ReadHandle(http) is not { } handle
            || await sessions.FindByHandleAsync(Handle.HashOf(handle), ct) is not { } session
            || !session.IsLive(now))
        {
            return null;
        }

        if (!session.IsToBeTouched(now))
        {
            return session;
        }

        await sessions.TouchAsync(session.Id, now, ct);
        return session with { LastSeenAt = now };
    }
}
