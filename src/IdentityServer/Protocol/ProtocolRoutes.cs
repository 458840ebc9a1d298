using System.Data.Common;
using IdentityServer.Protocol.Authorize;
using IdentityServer.Protocol.Discovery;
using IdentityServer.Protocol.EndSession;
using IdentityServer.Protocol.Introspect;
using IdentityServer.Protocol.Revoke;
using IdentityServer.Protocol.Token;
using IdentityServer.Protocol.UserInfo;

namespace IdentityServer.Protocol;

/// <summary>Every protocol route of the server, on one page.</summary>
internal static class ProtocolRoutes
{
    private delegate ValueTask<ProtocolResponse> Handler(OAuthRequest request, CancellationToken ct);

    public static void MapProtocol(this WebApplication app)
    {
        var services = app.Services;
        var authorize = services.GetRequiredService<AuthorizeEndpoint>();
        var endSession = services.GetRequiredService<EndSessionEndpoint>();
        var discovery = services.GetRequiredService<DiscoveryEndpoint>();
        var jwks = services.GetRequiredService<JwksEndpoint>();
        var routes = new Routes(app, services.GetRequiredService<ProtocolPipeline>());

        // documents
        routes.Map(Endpoints.Discovery, "GET, HEAD", Faults.Json, allowsScripts: true, (_, _) => new(discovery.Handle()));
        routes.Map(Endpoints.OAuthMetadata, "GET, HEAD", Faults.Json, allowsScripts: true, (_, _) => new(discovery.Handle()));
        routes.Map(Endpoints.Jwks, "GET, HEAD", Faults.Json, allowsScripts: true, (_, _) => new(jwks.Handle()));

        // back channel
        routes.Map(Endpoints.Token, "POST", Faults.Json, allowsScripts: true, services.GetRequiredService<TokenEndpoint>().HandleAsync);
        routes.Map(Endpoints.Introspect, "POST", Faults.Json, allowsScripts: false, services.GetRequiredService<IntrospectEndpoint>().HandleAsync);
        routes.Map(Endpoints.Revocation, "POST", Faults.Json, allowsScripts: true, services.GetRequiredService<RevokeEndpoint>().HandleAsync);
        routes.Map(Endpoints.UserInfo, "GET, POST", Faults.Json, allowsScripts: true, services.GetRequiredService<UserInfoEndpoint>().HandleAsync);

        // front channel: pages, never scripts (RFC 9700 §2.6)
        routes.Map(Endpoints.Authorize, "GET, POST", Faults.Page, allowsScripts: false, authorize.HandleAsync);
        routes.Map(Endpoints.AuthorizeResume, "GET", Faults.Page, allowsScripts: false, authorize.ResumeAsync);
        routes.Map(Endpoints.EndSession, "GET, POST", Faults.Page, allowsScripts: false, endSession.HandleAsync);
        routes.Map(Endpoints.EndSessionResume, "GET", Faults.Page, allowsScripts: false, endSession.ResumeAsync);
    }

    /// <summary>How an endpoint tells of an error.</summary>
    internal enum Faults
    {
        Json,
        Page,
    }

    private sealed class Routes(WebApplication app, ProtocolPipeline pipeline)
    {
        public void Map(string path, string methods, Faults faults, bool allowsScripts, Handler handle)
        {
            var allowed = methods.Split(", ");
            app.Map(path, context => pipeline.RunAsync(context, methods, allowed, faults, allowsScripts, handle.Invoke))
                .WithDisplayName(path)
                .DisableAntiforgery();
        }
    }
}

/// <summary>What happens around every protocol endpoint: method, cross-origin rules, reading, writing, and the last resort.</summary>
internal sealed partial class ProtocolPipeline(
    OAuthRequestReader reader, ProtocolResponseWriter writer, CorsRules cors, ILogger<ProtocolPipeline> logger)
{
    public async Task RunAsync(
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
            LogRefused(logger, context.Request.Path, error.Code, error.Detail ?? error.Description, error.Status);
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

    [LoggerMessage(1201, LogLevel.Information, "Refused {Path} with {Error} ({Status}): {Reason}")]
    private static partial void LogRefused(ILogger logger, string path, string error, string reason, int status);

    [LoggerMessage(1202, LogLevel.Error, "A dependency failed at {Path}.")]
    private static partial void LogUnavailable(ILogger logger, Exception exception, string path);

    [LoggerMessage(1203, LogLevel.Error, "Unexpected failure at {Path}.")]
    private static partial void LogFailed(ILogger logger, Exception exception, string path);
}
