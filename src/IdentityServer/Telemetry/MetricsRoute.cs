using System.Security.Cryptography;
using System.Text;
using IdentityServer.Configuration;

namespace IdentityServer.Telemetry;

/// <summary>
/// <c>/metrics</c>, for a Prometheus that shows the token of the settings. The token is none of this server's own: metrics are wanted most
/// when the database that those are checked with is away.
/// </summary>
internal static class MetricsRoute
{
    public static void AddMetricsPage(this IServiceCollection services) => services.AddSingleton<MetricsPage>();

    public static void MapMetrics(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ServerSettings>().Metrics.Token is not { Length: > 0 } token)
        {
            return;
        }

        // Made now: what is measured before the first visit counts too.
        var page = app.Services.GetRequiredService<MetricsPage>();
        var expected = HashOf("Bearer " + token);
        app.MapGet("/metrics", (HttpContext http) =>
        {
            http.Response.Headers.CacheControl = "no-store";
            if (!CryptographicOperations.FixedTimeEquals(HashOf(http.Request.Headers.Authorization.ToString()), expected))
            {
                http.Response.Headers.WWWAuthenticate = "Bearer";
                return Results.StatusCode(StatusCodes.Status401Unauthorized);
            }

            return Results.Text(page.Write(), MetricsPage.ContentType);
        });
    }

    private static byte[] HashOf(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
