using System.Collections.Frozen;
using System.Data.Common;
using IdentityServer.Protocol.Authorize;
using IdentityServer.Protocol.Discovery;
using IdentityServer.Protocol.EndSession;
using IdentityServer.Protocol.Introspect;
using IdentityServer.Protocol.RevocationFeed;
using IdentityServer.Protocol.Revoke;
using IdentityServer.Protocol.Token;
using IdentityServer.Protocol.UserInfo;

namespace IdentityServer.Protocol;

/// <summary>Every protocol route of the server, on one page.</summary>
internal static class ProtocolRoutes
{
    private delegate ValueTask<ProtocolResponse> Handler(OAuthRequest request, CancellationToken ct);

    /// <summary>
    /// The endpoints that programs call. They are found by one look-up and answered before anything that only pages need runs:
    /// language, error pages, antiforgery (docs/adr/0007).
    /// </summary>
    public static void UseProtocol(this WebApplication app, bool isHttps)
    {
        var services = app.Services;
        var discovery = services.GetRequiredService<DiscoveryEndpoint>();
        var jwks = services.GetRequiredService<JwksEndpoint>();
        var revocations = services.GetRequiredService<RevocationFeedEndpoint>();
        var pipeline = services.GetRequiredService<ProtocolPipeline>();
        var routes = new Dictionary<string, RequestDelegate>(StringComparer.OrdinalIgnoreCase)
        {
            // documents
            [Endpoints.Discovery] = Json("GET, HEAD", allowsScripts: true, discovery.HandleAsync),
            [Endpoints.OAuthMetadata] = Json("GET, HEAD", allowsScripts: true, discovery.HandleAsync),
            [Endpoints.Jwks] = Json("GET, HEAD", allowsScripts: true, jwks.HandleAsync),

            // back channel
            [Endpoints.Token] = Json("POST", allowsScripts: true, services.GetRequiredService<TokenEndpoint>().HandleAsync),
            [Endpoints.Introspect] = Json("POST", allowsScripts: false, services.GetRequiredService<IntrospectEndpoint>().HandleAsync),
            [Endpoints.Revocation] = Json("POST", allowsScripts: true, services.GetRequiredService<RevokeEndpoint>().HandleAsync),
            [Endpoints.Revocations] = Json("GET", allowsScripts: false, revocations.HandleAsync),
            [Endpoints.RevocationsSnapshot] = Json("GET", allowsScripts: false, revocations.SnapshotAsync),
            [Endpoints.UserInfo] = Json("GET, POST", allowsScripts: true, services.GetRequiredService<UserInfoEndpoint>().HandleAsync),
        }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

        app.Use((context, next) =>
        {
            if (context.Request.Path.Value is not { } path || !routes.TryGetValue(path, out var answer))
            {
                return next(context);
            }

            SecurityHeaders.Apply(context, isHttps);
            return answer(context);
        });

        RequestDelegate Json(string methods, bool allowsScripts, Handler handle) =>
            pipeline.Around(methods, Faults.Json, allowsScripts, handle.Invoke);
    }

    /// <summary>The endpoints that people's browsers come to: their errors are pages, and no script may call them (RFC 9700 §2.6).</summary>
    public static void MapProtocol(this WebApplication app)
    {
        var pipeline = app.Services.GetRequiredService<ProtocolPipeline>();
        var authorize = app.Services.GetRequiredService<AuthorizeEndpoint>();
        var endSession = app.Services.GetRequiredService<EndSessionEndpoint>();

        Map(Endpoints.Authorize, "GET, POST", authorize.HandleAsync);
        Map(Endpoints.AuthorizeResume, "GET", authorize.ResumeAsync);
        Map(Endpoints.EndSession, "GET, POST", endSession.HandleAsync);
        Map(Endpoints.EndSessionResume, "GET", endSession.ResumeAsync);

        void Map(string path, string methods, Handler handle) => app
            .Map(path, pipeline.Around(methods, Faults.Page, allowsScripts: false, handle.Invoke))
            .WithDisplayName(path)
            .DisableAntiforgery();
    }

    /// <summary>How an endpoint tells of an error.</summary>
    internal enum Faults
    {
        Json,
        Page,
    }
}

/// <summary>What happens around every protocol endpoint: method, cross-origin rules, reading, writing, and the last resort.</summary>
internal sealed partial class ProtocolPipeline(
    OAuthRequestReader reader, ProtocolResponseWriter writer, CorsRules cors, ILogger<ProtocolPipeline> logger)
{
    /// <summary>The endpoint, as the server runs it.</summary>
    public RequestDelegate Around(
        string methods,
        ProtocolRoutes.Faults faults,
        bool allowsScripts,
        Func<OAuthRequest, CancellationToken, ValueTask<ProtocolResponse>> handle)
    {
        var allowed = methods.Split(", ");
        return context => RunAsync(context, methods, allowed, faults, allowsScripts, handle);
    }

    private async Task RunAsync(
        HttpContext context,
        string methods,
        string[] allowed,
        ProtocolRoutes.Faults faults,
        bool allowsScripts,
        Func<OAuthRequest, CancellationToken, ValueTask<ProtocolResponse>> handle)
    {
        var ct = context.RequestAborted;
        if (allowsScripts && cors.Apply(context, methods))
        {
            return;
        }

        ProtocolResponse response;
        try
        {
            response = await AnswerAsync(context, methods, allowed, handle, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return;
        }
        catch (BadHttpRequestException bad)
        {
            response = ProtocolError.InvalidRequest("The request is malformed.") with { Status = bad.StatusCode };
        }
        catch (Exception exception) when (exception is DbException or TimeoutException or IOException)
        {
            LogUnavailable(logger, exception, context.Request.Path);
            response = ProtocolError.TemporarilyUnavailable;
        }
#pragma warning disable CA1031 // the last resort (ASVS 16.5.4): whatever went wrong, the client gets an error of the protocol
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFailed(logger, exception, context.Request.Path);
            response = ProtocolError.ServerError;
        }

        await writer.WriteAsync(Shape(response, faults, context), context, ct);
    }

    private async ValueTask<ProtocolResponse> AnswerAsync(
        HttpContext context,
        string methods,
        string[] allowed,
        Func<OAuthRequest, CancellationToken, ValueTask<ProtocolResponse>> handle,
        CancellationToken ct)
    {
        if (!allowed.Contains(context.Request.Method, StringComparer.Ordinal))
        {
            return ProtocolError.InvalidRequest("The endpoint does not allow this HTTP method.") with { Status = 405, Allow = methods };
        }

        var read = await reader.ReadAsync(context, ct);
        return read.TryGet(out var request, out var error) ? await handle(request, ct) : error;
    }

    /// <summary>A front-channel endpoint shows its errors to a person.</summary>
    private ProtocolResponse Shape(ProtocolResponse response, ProtocolRoutes.Faults faults, HttpContext context)
    {
        var error = response switch
        {
            ProtocolResponse.Failure failure => failure.Error,
            ProtocolResponse.ErrorPage page => page.Error,
            ProtocolResponse.Challenge challenge => challenge.Error,
            _ => null,
        };
        if (error is not null)
        {
            LogRefused(logger, context.Request.Path, error.Code, error.Detail ?? error.Description, error.Status, context.TraceIdentifier);
        }

        if (faults == ProtocolRoutes.Faults.Page && response is ProtocolResponse.Failure { Error: { } problem })
        {
            if (problem.Allow is { } allow)
            {
                context.Response.Headers.Allow = allow;
            }

            return new ProtocolResponse.ErrorPage(problem);
        }

        return response;
    }

    [LoggerMessage(1201, LogLevel.Information, "Refused {Path} with {Error} ({Status}): {Reason} ({RequestId})")]
    private static partial void LogRefused(
        ILogger logger, string path, string error, string reason, int status, string requestId);

    [LoggerMessage(1202, LogLevel.Error, "A dependency failed at {Path}.")]
    private static partial void LogUnavailable(ILogger logger, Exception exception, string path);

    [LoggerMessage(1203, LogLevel.Error, "Unexpected failure at {Path}.")]
    private static partial void LogFailed(ILogger logger, Exception exception, string path);
}
