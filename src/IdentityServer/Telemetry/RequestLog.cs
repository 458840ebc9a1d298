using System.Diagnostics;
using IdentityServer.Protocol;

namespace IdentityServer.Telemetry;

/// <summary>
/// One line per request: what, how it ended, how long. Never the query or body, which may hold codes and tokens. The
/// endpoints that services call by the thousand write theirs at Debug when they succeed.
/// </summary>
internal static partial class RequestLog
{
    public static void UseRequestLog(this WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("IdentityServer.Requests");
        var logsQuiet = logger.IsEnabled(LogLevel.Debug);
        app.Use((context, next) => !logsQuiet && IsQuiet(context.Request.Path)
            ? QuietAsync(context, next, logger)
            : LoggedAsync(context, next, logger));
    }

    private static bool IsQuiet(PathString path) => path.Value is
        Endpoints.Token or Endpoints.Introspect or Endpoints.Jwks or Endpoints.Discovery or Endpoints.OAuthMetadata
        or Endpoints.UserInfo or "/health/live" or "/health/ready" or "/metrics";

    private static Task QuietAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        var started = Stopwatch.GetTimestamp();
        var running = next(context);
        if (!running.IsCompletedSuccessfully)
        {
            return FinishAsync(running, context, started, logger);
        }

        LogIfFailed(context, started, logger);
        return Task.CompletedTask;
    }

    private static async Task FinishAsync(Task running, HttpContext context, long started, ILogger logger)
    {
        await running;
        LogIfFailed(context, started, logger);
    }

    private static void LogIfFailed(HttpContext context, long started, ILogger logger)
    {
        if (context.Response.StatusCode >= StatusCodes.Status400BadRequest)
        {
            Write(context, context.Request.Path, started, logger);
        }
    }

    private static async Task LoggedAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        // Re-execution for the error page changes the path.
        var path = context.Request.Path;
        var started = Stopwatch.GetTimestamp();
        await next(context);
        Write(context, path, started, logger);
    }

    private static void Write(HttpContext context, PathString path, long started, ILogger logger) => LogRequest(
        logger,
        context.Request.Method,
        path,
        context.Response.StatusCode,
        Stopwatch.GetElapsedTime(started).TotalMilliseconds,
        context.TraceIdentifier);

    [LoggerMessage(1001, LogLevel.Information, "{Method} {Path} answered {Status} in {Milliseconds:0.0} ms ({RequestId})")]
    private static partial void LogRequest(
        ILogger logger, string method, string path, int status, double milliseconds, string requestId);
}
