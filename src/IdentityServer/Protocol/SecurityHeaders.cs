namespace IdentityServer.Protocol;

/// <summary>The headers of ASVS V3.4, on every answer.</summary>
internal static class SecurityHeaders
{
    // No form-action: Chromium applies it to the redirects after a form too, and those lead to the apps (ASVS 3.4.3, note).
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this WebApplication app, bool isHttps) => app.Use((context, next) =>
    {
        Apply(context, isHttps);
        return next(context);
    });

    public static void Apply(HttpContext context, bool isHttps)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";

        // Whoever answers something that may be kept says so; an error page is not (ASVS 14.3.2).
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XFrameOptions = "DENY";

        // Apps open our pages in pop-ups and wait for them: same-origin would cut that tie.
        headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups";
        headers["X-Request-Id"] = context.TraceIdentifier;
        if (isHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000; includeSubDomains";
        }
    }
}
