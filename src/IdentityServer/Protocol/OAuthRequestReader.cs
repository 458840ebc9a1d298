using System.Buffers;
using System.Text;
using IdentityServer.SignIn;
using Microsoft.Net.Http.Headers;

namespace IdentityServer.Protocol;

/// <summary>HTTP in: the only place that turns a web request into an <see cref="OAuthRequest"/>.</summary>
internal sealed class OAuthRequestReader(SessionCookie cookie)
{
    /// <summary>Ten times the largest sensible request; more is refused before it is read.</summary>
    private const int MaxBody = 64 * 1024;

    public async ValueTask<Result<OAuthRequest>> ReadAsync(HttpContext context, CancellationToken ct)
    {
        var http = context.Request;
        var read = HttpMethods.IsPost(http.Method) ? await ReadBodyAsync(http, ct) : ReadQuery(http);
        return read.TryGet(out var parameters, out var error)
            ? new OAuthRequest(parameters)
            {
                Method = http.Method,
                Authorization = ReadAuthorization(http),
                Accept = http.Headers.TryGetValue(HeaderNames.Accept, out var accepted) ? accepted.ToString() : null,
                LastEventId = http.Headers.TryGetValue("Last-Event-ID", out var id) ? id.ToString() : null,
                SessionHandle = cookie.ReadHandle(context),
                Address = context.Connection.RemoteIpAddress?.ToString(),
            }
            : error;
    }

    private static string? ReadAuthorization(HttpRequest http) =>
        http.Headers.TryGetValue(HeaderNames.Authorization, out var values) ? values.ToString() : null;

    private static Result<Parameters> ReadQuery(HttpRequest http)
    {
        var query = http.QueryString.Value;
        return string.IsNullOrEmpty(query)
            ? Parameters.Empty
            : ParameterReader.Read(Encoding.UTF8.GetBytes(query.AsSpan(1).ToArray()));
    }

    private static async ValueTask<Result<Parameters>> ReadBodyAsync(HttpRequest http, CancellationToken ct)
    {
        if (http.ContentLength > MaxBody)
        {
            return TooLarge;
        }

        if (http.ContentType is null && http.ContentLength is null or 0)
        {
            return Parameters.Empty;
        }

        if (!IsForm(http.ContentType))
        {
            return ProtocolError.InvalidRequest("The body must be application/x-www-form-urlencoded in UTF-8.") with { Status = 415 };
        }

        while (true)
        {
            var part = await http.BodyReader.ReadAsync(ct);
            if (part.Buffer.Length > MaxBody)
            {
                http.BodyReader.AdvanceTo(part.Buffer.End);
                return TooLarge;
            }

            if (part.IsCompleted)
            {
                var parameters = part.Buffer.IsSingleSegment
                    ? ParameterReader.Read(part.Buffer.FirstSpan)
                    : ParameterReader.Read(part.Buffer.ToArray());
                http.BodyReader.AdvanceTo(part.Buffer.End);
                return parameters;
            }

            http.BodyReader.AdvanceTo(part.Buffer.Start, part.Buffer.End);
        }
    }

    private static bool IsForm(string? contentType)
    {
        const string Form = "application/x-www-form-urlencoded";
        return contentType is not null
            && (contentType.Equals(Form, StringComparison.OrdinalIgnoreCase)
                || (MediaTypeHeaderValue.TryParse(contentType, out var media)
                    && media.MediaType.Equals(Form, StringComparison.OrdinalIgnoreCase)
                    && (!media.Charset.HasValue || media.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
                        || media.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase))));
    }

    private static ProtocolError TooLarge { get; } =
        ProtocolError.InvalidRequest("The request body is too large.") with { Status = 413 };
}
