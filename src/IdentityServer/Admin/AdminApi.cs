using System.Buffers;
using System.Data.Common;
using IdentityServer.Layout;
using IdentityServer.Protocol;
using Microsoft.Net.Http.Headers;

namespace IdentityServer.Admin;

/// <summary>Answers one request of somebody who may make it.</summary>
internal delegate ValueTask<AdminAnswer> AdminDeed(AdminCall call, CancellationToken ct);

/// <summary>
/// What happens around every route of the admin API: who calls, reading, writing, and the last resort. It stands before the pages'
/// middleware, so that nobody is answered with a page.
/// </summary>
internal sealed partial class AdminApi(AdminAccess access, KeysApi keys, PeopleApi people, SessionsApi sessions, ProtocolOptions options, ILogger<AdminApi> logger)
{
    private const string Root = "/admin/api";
    private const int MaxBody = 16 * 1024;

    public async Task RunAsync(HttpContext http)
    {
        var ct = http.RequestAborted;
        AdminAnswer answer;
        try
        {
            answer = await AnswerAsync(http, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        catch (BadHttpRequestException bad)
        {
            answer = AdminAnswer.Malformed("The request is malformed.", bad.StatusCode);
        }
        catch (Exception exception) when (exception is DbException or TimeoutException or IOException)
        {
            LogUnavailable(logger, exception, http.Request.Path);
            answer = AdminAnswer.Problem(
                StatusCodes.Status503ServiceUnavailable, "unavailable", "The server cannot answer right now", "Try again shortly.");
        }
#pragma warning disable CA1031 // the last resort (ASVS 16.5.4): whatever went wrong, the caller gets a problem and no page
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFailed(logger, exception, http.Request.Path);
            answer = AdminAnswer.Problem(
                StatusCodes.Status500InternalServerError, "server_error", "The server made a mistake", "The log tells more, by the request id.");
        }

        await WriteAsync(http, answer, ct);
    }

    private async ValueTask<AdminAnswer> AnswerAsync(HttpContext http, CancellationToken ct)
    {
        // 1 who: a stranger is told nothing of what is here
        var request = http.Request;
        var path = request.Path.Value![Root.Length..].Split('/')[1..];
        var area = path switch
        {
            ["v1", "people", ..] => AdminArea.People,
            ["v1", "sessions" or "grants" or "receipts", ..] => SessionsApi.AreaOf(request, path[1..]),
            _ => AdminArea.Keys,
        };
        var admitted = await access.AdmitAsync(http, area, ct);
        if (!admitted.TryGet(out var actor, out var error))
        {
            LogRefused(logger, http.Request.Path, error.Code, http.TraceIdentifier);
            return AdminAnswer.Refused(error, options.Issuer);
        }

        // 2 what
        var deeds = path switch
        {
            ["v1", "keys", .. var rest] => keys.Find(rest),
            ["v1", "people", .. var rest] => people.Find(rest),
            ["v1", .. var rest] => sessions.Find(rest),
            _ => null,
        };
        if (deeds is null)
        {
            return AdminAnswer.Problem(StatusCodes.Status404NotFound, "not_found", "There is nothing here", "The API has no such address.");
        }

        if (!deeds.TryGetValue(request.Method, out var deed))
        {
            var allowed = string.Join(", ", deeds.Keys);
            return AdminAnswer.Problem(
                StatusCodes.Status405MethodNotAllowed, "method_not_allowed", "The method is not allowed", $"Use {allowed}.") with
            {
                Allow = allowed,
            };
        }

        // 3 with what
        var body = ReadOnlyMemory<byte>.Empty;
        if (HttpMethods.IsPost(request.Method) || HttpMethods.IsDelete(request.Method))
        {
            if (HasBody(request) && !IsJson(request.ContentType))
            {
                return AdminAnswer.Malformed("The body must be application/json in UTF-8.", StatusCodes.Status415UnsupportedMediaType);
            }

            if (await ReadBodyAsync(request, ct) is not { } read)
            {
                return AdminAnswer.Malformed("The request body is too large.", StatusCodes.Status413PayloadTooLarge);
            }

            body = read;
        }

        return await deed(new AdminCall(actor, request.Query, body), ct);
    }

    private static bool HasBody(HttpRequest request) => request.ContentType is not null || request.ContentLength is not (null or 0);

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var media)
        && media.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (!media.Charset.HasValue || media.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    /// <summary>The body; <see langword="null"/> when it is too large.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>?> ReadBodyAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentLength > MaxBody)
        {
            return null;
        }

        while (true)
        {
            var part = await request.BodyReader.ReadAsync(ct);
            if (part.Buffer.Length > MaxBody)
            {
                request.BodyReader.AdvanceTo(part.Buffer.End);
                return null;
            }

            if (part.IsCompleted)
            {
                var body = part.Buffer.ToArray();
                request.BodyReader.AdvanceTo(part.Buffer.End);
                return body;
            }

            request.BodyReader.AdvanceTo(part.Buffer.Start, part.Buffer.End);
        }
    }

    private static async Task WriteAsync(HttpContext http, AdminAnswer answer, CancellationToken ct)
    {
        var response = http.Response;
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        response.ContentLength = answer.Body.Length;
        response.Headers.Pragma = "no-cache";
        response.Headers.Location = answer.Location;
        response.Headers.Allow = answer.Allow;
        response.Headers.WWWAuthenticate = answer.Challenge;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await response.BodyWriter.WriteAsync(answer.Body, ct);
        }
    }

    [LoggerMessage(1401, LogLevel.Information, "Refused {Path} with {Error} ({RequestId})")]
    private static partial void LogRefused(ILogger logger, string path, string error, string requestId);

    [LoggerMessage(1402, LogLevel.Error, "A dependency failed at {Path}.")]
    private static partial void LogUnavailable(ILogger logger, Exception exception, string path);

    [LoggerMessage(1403, LogLevel.Error, "Unexpected failure at {Path}.")]
    private static partial void LogFailed(ILogger logger, Exception exception, string path);
}

/// <summary>Registers and places the administration.</summary>
internal static class AdminRoutes
{
    public static IServiceCollection AddAdmin(this IServiceCollection services) => services
        .AddSingleton<AdminAccess>()
        .AddSingleton<KeySituations>()
        .AddSingleton<KeysApi>()
        .AddSingleton<PeopleApi>()
        .AddSingleton<PersonHelp>()
        .AddSingleton<SessionsApi>()
        .AddSingleton<EndingHelp>()
        .AddSingleton<AdminApi>()
        .AddSingleton<ConsoleAccess>();

    /// <summary>The console's front door, which leads to the first page that its visitor may see; they are Razor pages.</summary>
    public static void MapConsole(this WebApplication app)
    {
        var console = app.Services.GetRequiredService<ConsoleAccess>();
        app.MapGet("/admin", async (HttpContext http) =>
        {
            var visit = await console.FindAsync(http, http.RequestAborted);
            var isForSessions = visit is not null && !visit.May(AdminArea.Keys) && visit.May(AdminArea.Sessions);
            return Results.Redirect(isForSessions ? Links.Sessions(http.Request) : Links.Keys(http.Request));
        });
    }

    /// <summary>The admin API; before the middleware of the pages.</summary>
    public static void UseAdminApi(this WebApplication app, bool isHttps)
    {
        var api = app.Services.GetRequiredService<AdminApi>();
        app.Use((http, next) =>
        {
            if (!http.Request.Path.StartsWithSegments("/admin/api", StringComparison.Ordinal, out _))
            {
                return next(http);
            }

            SecurityHeaders.Apply(http, isHttps);
            return api.RunAsync(http);
        });
    }
}
