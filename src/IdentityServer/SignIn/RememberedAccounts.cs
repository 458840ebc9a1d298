using System.Security.Cryptography;
using System.Text.Json;
using IdentityServer.Protocol;
using Microsoft.AspNetCore.DataProtection;

namespace IdentityServer.SignIn;

/// <summary>An account that was used in this browser by somebody who asked to be kept signed in.</summary>
public sealed record RememberedAccount(string Subject, string UserName, string Name);

/// <summary>
/// The accounts a browser offers again, in an encrypted cookie. Only those of people who ticked <em>keep me signed in</em>: on a
/// shared computer nobody's name stays behind.
/// </summary>
public sealed class RememberedAccounts(IDataProtectionProvider protection, ProtocolOptions options, TimeProvider clock)
{
    private const int Most = 5;
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(180);

    private readonly CookieBuilder _cookie = CookieNames.Builder(options.Issuer, "accounts");
    private readonly IDataProtector _protector = protection.CreateProtector("IdentityServer.RememberedAccounts");

    /// <summary>The accounts, the one used last first.</summary>
    public IReadOnlyList<RememberedAccount> Read(HttpContext http)
    {
        if (http.Request.Cookies[_cookie.Name!] is not { Length: < 4096 } text)
        {
            return [];
        }

        try
        {
            return JsonSerializer.Deserialize<RememberedAccount[]>(_protector.Unprotect(text)) ?? [];
        }
        catch (Exception unreadable) when (unreadable is CryptographicException or JsonException)
        {
            // Made under keys that are gone, or by somebody else: as if there were none.
            return [];
        }
    }

    public void Remember(HttpContext http, RememberedAccount account)
    {
        var others = Read(http).Where(other => other.Subject != account.Subject).Take(Most - 1);
        var cookie = _cookie.Build(http);
        cookie.Expires = clock.GetUtcNow() + Lifetime;
        var text = _protector.Protect(JsonSerializer.Serialize<RememberedAccount[]>([account, .. others]));
        http.Response.Cookies.Append(_cookie.Name!, text, cookie);
    }

    public void Forget(HttpContext http) => http.Response.Cookies.Delete(_cookie.Name!, _cookie.Build(http));
}
