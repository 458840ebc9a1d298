namespace IdentityServer.SignIn;

/// <summary>
/// Names of this server's cookies. Over https they carry the <c>__Host-</c> prefix, with which a browser refuses a cookie
/// that is not Secure, not for the whole host, or set by a neighbouring subdomain. Plain http is for loopback only.
/// </summary>
public static class CookieNames
{
    /// <summary>True when the issuer is https, so that every cookie is Secure.</summary>
    public static bool AreSecure(string issuer) => issuer.StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    /// <summary>The name of one cookie, e.g. <c>__Host-identity.session</c>.</summary>
    public static string Of(string issuer, string purpose) =>
        AreSecure(issuer) ? $"__Host-identity.{purpose}" : $"identity.{purpose}";

    /// <summary>What every cookie of this server has in common.</summary>
    public static CookieBuilder Builder(string issuer, string purpose) => new()
    {
        Name = Of(issuer, purpose),
        Path = "/",
        HttpOnly = true,
        IsEssential = true,
        SameSite = SameSiteMode.Lax,
        SecurePolicy = AreSecure(issuer) ? CookieSecurePolicy.Always : CookieSecurePolicy.None,
    };
}
