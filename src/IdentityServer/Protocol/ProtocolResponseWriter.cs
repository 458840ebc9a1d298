using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using IdentityServer.Layout;
using IdentityServer.SignIn;
using Microsoft.AspNetCore.Http.Extensions;

namespace IdentityServer.Protocol;

/// <summary>HTTP out: the only place that turns a <see cref="ProtocolResponse"/> into bytes.</summary>
internal sealed partial class ProtocolResponseWriter(
    SessionCookie cookie, Assets assets, ProtocolOptions options, IHostApplicationLifetime lifetime, ILogger<ProtocolResponseWriter> logger)
{
    private const string Json = "application/json;charset=UTF-8";

    private readonly string _basicChallenge = $"Basic realm=\"{options.Issuer}\", charset=\"UTF-8\"";

    public Task WriteAsync(ProtocolResponse response, HttpContext context, CancellationToken ct)
    {
        if (response.ForgetsSession)
        {
            cookie.Delete(context);
        }

        return response switch
        {
            ProtocolResponse.Json json => WriteBodyAsync(context, 200, Json, JsonSerializer.SerializeToUtf8Bytes(json.Body, json.Type), ct),
            ProtocolResponse.Utf8Json json => WriteBodyAsync(context, 200, Json, json.Body, ct),
            ProtocolResponse.Jwt jwt => WriteBodyAsync(context, 200, jwt.ContentType, Encoding.ASCII.GetBytes(jwt.Token), ct),
            ProtocolResponse.Failure failure => WriteFailureAsync(context, failure.Error, ct),
            ProtocolResponse.Challenge challenge => WriteChallengeAsync(context, challenge.Error, ct),
            ProtocolResponse.Document document => WriteDocumentAsync(context, document, ct),
            ProtocolResponse.Redirect redirect => Redirect(context, redirect.Location),
            ProtocolResponse.Page page => Redirect(context, AddressOf(page)),
            ProtocolResponse.FormPost post => WriteFormPostAsync(context, post, ct),
            ProtocolResponse.ErrorPage page => ShowErrorPage(context, page),
            ProtocolResponse.Live live => WriteLiveAsync(context, live, ct),
            ProtocolResponse.Empty => WriteBodyAsync(context, 200, null, default, ct),
            _ => throw new UnreachableException(),
        };
    }

    private Task WriteFailureAsync(HttpContext context, ProtocolError error, CancellationToken ct)
    {
        var headers = context.Response.Headers;
        if (error.Status == StatusCodes.Status401Unauthorized)
        {
            headers.WWWAuthenticate = _basicChallenge;
        }

        if (error.Allow is { } methods)
        {
            headers.Allow = methods;
        }

        return WriteBodyAsync(context, error.Status, Json, Body(error), ct);
    }

    /// <summary>RFC 6750 §3: no error code when no token was sent.</summary>
    private Task WriteChallengeAsync(HttpContext context, ProtocolError? error, CancellationToken ct)
    {
        var challenge = $"Bearer realm=\"{options.Issuer}\"";
        if (error is null)
        {
            context.Response.Headers.WWWAuthenticate = challenge;
            return WriteBodyAsync(context, StatusCodes.Status401Unauthorized, null, default, ct);
        }

        challenge += $", error=\"{error.Code}\", error_description=\"{error.Description}\"";
        context.Response.Headers.WWWAuthenticate =
            error.Code == "insufficient_scope" ? $"{challenge}, scope=\"{error.Parameter}\"" : challenge;
        return WriteBodyAsync(context, error.Status, Json, Body(error), ct);
    }

    private static byte[] Body(ProtocolError error) =>
        JsonSerializer.SerializeToUtf8Bytes(new ErrorResponse(error.Code, error.Description), ProtocolJson.Default.ErrorResponse);

    private static Task WriteBodyAsync(
        HttpContext context, int status, string? contentType, ReadOnlyMemory<byte> body, CancellationToken ct)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        response.Headers.Pragma = "no-cache";
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        return body.IsEmpty ? Task.CompletedTask : response.BodyWriter.WriteAsync(body, ct).AsTask();
    }

    private async Task WriteLiveAsync(HttpContext context, ProtocolResponse.Live live, CancellationToken ct)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.Pragma = "no-cache";

        // For nginx, which would hold events back until it has a page of them.
        headers["X-Accel-Buffering"] = "no";
        context.Response.ContentType = live.ContentType;

        // A stop does not wait for readers who never leave by themselves.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, lifetime.ApplicationStopping);
        try
        {
            await live.WriteAsync(context.Response.Body, end.Token);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            context.Abort();
        }
#pragma warning disable CA1031 // the answer has begun: all that is left to say is that it did not come to its end
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogCut(logger, exception, context.Request.Path);
            context.Abort();
        }
    }

    private static Task WriteDocumentAsync(HttpContext context, ProtocolResponse.Document document, CancellationToken ct)
    {
        var headers = context.Response.Headers;
        headers.ETag = document.ETag;
        headers.CacheControl = string.Create(CultureInfo.InvariantCulture, $"public, max-age={(int)document.MaxAge.TotalSeconds}");
        if (context.Request.Headers.IfNoneMatch is { Count: > 0 } known && Matches(known.ToString(), document.ETag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        context.Response.ContentType = document.ContentType;
        context.Response.ContentLength = document.Body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.BodyWriter.WriteAsync(document.Body, ct).AsTask();
    }

    // Weak comparison over a list (RFC 9110 §13.1.2).
    private static bool Matches(string header, string etag) =>
        header == etag || header.Split(',').Any(item => item.Trim() is "*" || item.Trim() == etag || item.Trim() == "W/" + etag);

    private static Task Redirect(HttpContext context, string location)
    {
        // 303: the browser comes with GET and leaves the body, perhaps with a password in it, behind (RFC 9700 §4.12).
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = location;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Pragma = "no-cache";
        return Task.CompletedTask;
    }

    private string AddressOf(ProtocolResponse.Page page)
    {
        var path = page.Name switch
        {
            HostedPage.SignIn => "/login",
            HostedPage.Consent => "/consent",
            HostedPage.ChooseAccount => "/select-account",
            HostedPage.StepUp => "/login/step-up",
            HostedPage.SignOut => "/logout",
            HostedPage.SignedOut => "/signed-out",
            _ => throw new UnreachableException(),
        };
        var query = new QueryBuilder();
        if (page.Handle.Length > 0)
        {
            query.Add("handle", page.Handle);
        }

        if (page.UiLocales is { } locales)
        {
            query.Add("ui_locales", locales);
        }

        return options.Issuer + path + query.ToQueryString();
    }

    private Task WriteFormPostAsync(HttpContext context, ProtocolResponse.FormPost post, CancellationToken ct)
    {
        var html = new StringBuilder(1024);
        var encoder = HtmlEncoder.Default;
        html.Append("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">")
            .Append("<title>Back to the app</title><script src=\"").Append(assets["form-post.js"]).Append("\" defer></script></head><body>")
            .Append("<form method=\"post\" action=\"").Append(encoder.Encode(post.Action)).Append("\">");
        foreach (var (name, value) in post.Fields)
        {
            html.Append("<input type=\"hidden\" name=\"").Append(encoder.Encode(name))
                .Append("\" value=\"").Append(encoder.Encode(value)).Append("\">");
        }

        html.Append("<noscript><button type=\"submit\">Continue</button></noscript></form></body></html>");
        return WriteBodyAsync(context, 200, "text/html;charset=UTF-8", Encoding.UTF8.GetBytes(html.ToString()), ct);
    }

    /// <summary>Leaves the body to the error page, which the pipeline shows for a bare error status.</summary>
    private static Task ShowErrorPage(HttpContext context, ProtocolResponse.ErrorPage page)
    {
        context.Items[typeof(ProtocolResponse.ErrorPage)] = page;
        context.Response.StatusCode = page.Error.Status;
        return Task.CompletedTask;
    }

    [LoggerMessage(1204, LogLevel.Error, "The answer of {Path} was cut off.")]
    private static partial void LogCut(ILogger logger, Exception exception, string path);
}
