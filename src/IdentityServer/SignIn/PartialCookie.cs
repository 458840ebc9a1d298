using IdentityServer.Protocol;
using IdentityServer.Storage.SignIns;

namespace IdentityServer.SignIn;

/// <summary>The cookie of a sign-in that lacks a factor; like <see cref="SessionCookie"/> nothing but a handle.</summary>
public sealed class PartialCookie(IPartialSignIns signIns, ProtocolOptions options, TimeProvider clock)
{
    private readonly CookieBuilder _cookie = CookieNames.Builder(options.Issuer, "partial");

    /// <summary>The browser's sign-in under way, unless there is none or its time is up.</summary>
    public async ValueTask<PartialSignIn?> FindAsync(HttpContext http, CancellationToken ct) =>
        http.Request.Cookies[_cookie.Name!] is { Length: 43 } handle
            ? await signIns.FindAsync(Handle.HashOf(handle), clock.GetUtcNow(), ct)
            : null;

    public void Write(HttpContext http, Handle handle) =>
        http.Response.Cookies.Append(_cookie.Name!, handle.Text, _cookie.Build(http));

    public void Delete(HttpContext http) => http.Response.Cookies.Delete(_cookie.Name!, _cookie.Build(http));
}
