using IdentityServer.Protocol.Clients;
using Microsoft.Net.Http.Headers;

namespace IdentityServer.Protocol;

/// <summary>
/// Lets scripts of registered single-page apps call the endpoints that allow it, without credentials: cookies stay behind.
/// Which origins are registered changes while the server runs, so this asks <see cref="ClientDirectory"/> each time.
/// </summary>
internal sealed class CorsRules(ClientDirectory clients)
{
    /// <summary>True when the request was a preflight and is answered.</summary>
    public bool Apply(HttpContext context, string methods)
    {
        var request = context.Request;
        var headers = context.Response.Headers;

        // Always: a shared cache must not give a script the answer that it kept for a program.
        headers.Vary = HeaderNames.Origin;
        if (!request.Headers.TryGetValue(HeaderNames.Origin, out var sent))
        {
            return false;
        }

        var origin = sent.ToString();
        var isAllowed = clients.IsAllowedOrigin(origin);
        if (isAllowed)
        {
            headers.AccessControlAllowOrigin = origin;
            headers.AccessControlExposeHeaders = "WWW-Authenticate, ETag";
        }

        if (!HttpMethods.IsOptions(request.Method) || !request.Headers.ContainsKey(HeaderNames.AccessControlRequestMethod))
        {
            return false;
        }

        if (isAllowed)
        {
            headers.AccessControlAllowMethods = methods;
            headers.AccessControlAllowHeaders = "Authorization, Content-Type";
            headers.AccessControlMaxAge = "600";
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }
}
