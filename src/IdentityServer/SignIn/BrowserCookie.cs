using IdentityServer.Protocol;

namespace IdentityServer.SignIn;

/// <summary>
/// A random handle that a browser keeps for long: it tells a browser in which somebody signed in before from a stranger's, and ties what
/// was begun in a browser to it (a WebAuthn ceremony, a mailed link). It proves nobody's identity.
/// </summary>
public sealed class BrowserCookie(ProtocolOptions options, TimeProvider clock)
{
    // As long as browsers keep any cookie.
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(400);

    private readonly CookieBuilder _cookie = CookieNames.Builder(options.Issuer, "browser");

    /// <summary>Hash of the browser's handle; <see langword="null"/>: it has none.</summary>
    public string? Find(HttpContext http) =>
        http.Request.Cookies[_cookie.Name!] is { Length: 43 } handle ? Handle.HashOf(handle) : null;

    /// <summary>Hash of the browser's handle, which it gets now if it had none; its time begins anew.</summary>
    public string Ensure(HttpContext http)
    {
        if (http.Items[typeof(BrowserCookie)] is Handle given)
        {
            return given.Hash;
        }

        var handle = http.Request.Cookies[_cookie.Name!] is { Length: 43 } text ? Handle.Of(text) : Handle.Create();
        http.Items[typeof(BrowserCookie)] = handle;
        var cookie = _cookie.Build(http);
        cookie.Expires = clock.GetUtcNow() + Lifetime;
        http.Response.Cookies.Append(_cookie.Name!, handle.Text, cookie);
        return handle.Hash;
    }
}
