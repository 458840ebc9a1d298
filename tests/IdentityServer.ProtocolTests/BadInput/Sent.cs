using System.Globalization;
using System.Text;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.BadInput;

/// <summary>One request as it goes over the wire: everything a client could get wrong is spelled out.</summary>
public sealed record Sent
{
    public required Endpoint Endpoint { get; init; }

    public required string Method { get; init; }

    /// <summary>Already encoded, well or badly: the query of a GET, the body of a POST.</summary>
    public required string Encoded { get; init; }

    public string? ContentType { get; init; } = "application/x-www-form-urlencoded";

    public string? Authorization { get; init; }

    public string? Origin { get; init; }

    /// <summary>Sends it and reads the answer; redirects are not followed.</summary>
    public async Task<Page> SendAsync(HttpClient http, Uri server, CancellationToken ct)
    {
        var inQuery = Method is "GET" or "HEAD" or "OPTIONS" or "TRACE";
        var address = inQuery && Encoded.Length > 0 ? $"{Endpoint.Path}?{InRequestLine(Encoded)}" : Endpoint.Path;
        using var request = new HttpRequestMessage(
            new HttpMethod(Method),
            new Uri(
                $"{server.GetLeftPart(UriPartial.Authority)}{address}",
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        if (!inQuery)
        {
            request.Content = new ByteArrayContent(Encoding.Latin1.GetBytes(Encoded));

            // A refusal is read before a body that nobody wants is written; the server hangs up afterwards.
            var isLarge = Encoded.Length > 60_000;
            request.Headers.ExpectContinue = isLarge;
            request.Headers.ConnectionClose = isLarge;
            if (ContentType is not null)
            {
                request.Content.Headers.TryAddWithoutValidation("Content-Type", ContentType);
            }
        }

        if (Authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", Authorization);
        }

        if (Origin is not null)
        {
            request.Headers.TryAddWithoutValidation("Origin", Origin);
        }

        return await new Browser(http).SendAsync(request, ct);
    }

    // Bytes that a request line cannot carry would be Kestrel's to refuse: in an address they come escaped.
    private static string InRequestLine(string text) => string.Concat(text.Select(letter =>
        letter is > ' ' and <= '~' and not '#'
            ? letter.ToString()
            : string.Create(CultureInfo.InvariantCulture, $"%{(int)letter:x2}")));

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Method} {Endpoint.Path} [{ContentType}] [{Shorten(Authorization)}] [{Origin}] {Shorten(Encoded)} ({Encoded.Length})");

    private static string Shorten(string? text) => text is { Length: > 300 } ? text[..300] + "…" : text ?? "";
}
