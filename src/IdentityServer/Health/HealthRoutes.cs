using IdentityServer.Jobs;
using IdentityServer.Logout;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Health;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it may be sent requests.</summary>
internal static class HealthRoutes
{
    public static void MapHealth(this WebApplication app)
    {
        var feed = app.Services.GetRequiredService<ChangeFeed>();
        var keys = app.Services.GetRequiredService<SigningKeyRing>();
        var jobs = app.Services.GetRequiredService<JobWatch>();
        var logout = app.Services.GetRequiredService<LogoutWatch>();
        app.MapGet("/health/live", () => Results.Json(new { status = "live" }));
        app.MapGet("/health/ready", () =>
        {
            // A node that cannot read the change log would serve stale revocations.
            var hasKeys = KeyFactory.Algorithms.All(keys.Current.Signing.ContainsKey);
            var isReady = feed.IsFresh && hasKeys;
            return Results.Json(
                new
                {
                    status = isReady ? "ready" : "not ready",
                    changes = feed.IsFresh ? "ok" : "behind: the database cannot be read",
                    keys = hasKeys ? "ok" : "no signing key is active",

                    // For people to read: nothing a node answers depends on a job that ran in time.
                    jobs = jobs.Status,
                    logout = logout.Status,
                },
                statusCode: isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        });
    }
}
