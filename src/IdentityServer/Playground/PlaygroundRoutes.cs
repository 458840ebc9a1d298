using System.Text;
using IdentityServer.FirstRun;
using IdentityServer.Layout;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;

namespace IdentityServer.Playground;

/// <summary>
/// The page where a developer runs each flow and sees each message. In Development only: elsewhere nothing of it is mapped, and its
/// files, which travel inside the assembly, have no address.
/// </summary>
internal static class PlaygroundRoutes
{
    // Script and style from here alone, nothing inline, nobody may frame it; forms and requests go to this server only.
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    public static void MapPlayground(this WebApplication app)
    {
        if (!app.Environment.IsDevelopment())
        {
            return;
        }

        var files = new PlaygroundFiles(app.Services.GetRequiredService<Assets>());
        var routes = app.MapGroup("/playground");
        routes.MapGet("", (HttpContext http, ProtocolOptions options) => Page(http, options, files));
        routes.MapGet("/callback", (HttpContext http, ProtocolOptions options) => Page(http, options, files));
        routes.MapGet("/{file}", (string file, HttpContext http) => File(file, http, files));
        routes.MapGet("/settings", SettingsAsync);
        routes.MapGet("/grants/{grantId}", TimelineAsync);
    }

    private static IResult Page(HttpContext http, ProtocolOptions options, PlaygroundFiles files)
    {
        // The page plays an app of the issuer's own origin; under another name of this machine its requests would be another site's.
        var request = http.Request;
        if ($"{request.Scheme}://{request.Host}" != new Uri(options.Issuer).GetLeftPart(UriPartial.Authority))
        {
            return Results.Redirect($"{options.Issuer}{request.Path}{request.QueryString}");
        }

        http.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        http.Response.Headers.CacheControl = "no-store";
        return Results.Text(files.Page, "text/html", Encoding.UTF8);
    }

    private static IResult File(string name, HttpContext http, PlaygroundFiles files)
    {
        if (files.Find(name) is not { } file)
        {
            return Results.NotFound();
        }

        http.Response.Headers.CacheControl = "no-cache";
        return Results.Bytes(file.Content, file.ContentType, entityTag: file.ETag);
    }

    private static async Task<IResult> SettingsAsync(
        HttpContext http, ProtocolOptions options, ClientDirectory clients, CancellationToken ct)
    {
        http.Response.Headers.CacheControl = "no-store";
        return IsFromElsewhere(http.Request)
            ? Results.NotFound()
            : Results.Json(await PlaygroundSettings.ReadAsync(options, clients, ct));
    }

    private static async Task<IResult> TimelineAsync(
        string grantId, HttpContext http, IGrantStore grants, IAuditLog audit, CancellationToken ct)
    {
        // Only what the demo's own app was granted: a Development server may hold other people's tests.
        http.Response.Headers.CacheControl = "no-store";
        return IsFromElsewhere(http.Request) || await grants.FindAsync(grantId, ct) is not { ClientId: Demo.SpaClient }
            ? Results.NotFound()
            : Results.Json(new GrantTimeline([.. (await audit.OfGrantAsync(grantId, ct)).Select(GrantTimelineEvent.Of)]));
    }

    // Without a CORS header another site cannot read the answer; this keeps it from asking, too.
    private static bool IsFromElsewhere(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none");
}
