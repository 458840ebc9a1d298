using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace IdentityServer.ResourceServer.Server;

/// <summary>Everything this API asks the server, at the addresses of its metadata, as its own client.</summary>
internal sealed class Backchannel : IDisposable
{
    public const string FeedScope = "revocations";

    private const int MaxAnswer = 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MetadataAge = TimeSpan.FromHours(1);

    private readonly IdentityServerTokensOptions _options;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;
    private Metadata? _metadata;
    private FeedToken? _feedToken;

    public Backchannel(IdentityServerTokensOptions options, TimeProvider clock)
    {
        (_options, _clock) = (options, clock);
        _http = new HttpClient(
            options.BackchannelHandler ?? new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) },
            disposeHandler: options.BackchannelHandler is null)
        {
            Timeout = Patience,
            MaxResponseContentBufferSize = MaxAnswer,
        };
    }

    /// <summary>The server's keys, past every cache.</summary>
    public async Task<byte[]> FetchKeysAsync(CancellationToken ct)
    {
        var metadata = await MetadataAsync(ct);
        return await BytesAsync(() => new HttpRequestMessage(HttpMethod.Get, metadata.Jwks) { Headers = { CacheControl = new() { NoCache = true } } }, ct);
    }

    /// <summary>What a reference token means.</summary>
    public async Task<JsonDocument> IntrospectAsync(string token, CancellationToken ct)
    {
        var metadata = await MetadataAsync(ct);
        return Json(await BytesAsync(() => Post(Required(metadata.Introspection, "introspection_endpoint"), [new("token", token)]), ct));
    }

    /// <summary>The feed from the cursor, or its snapshot when there is none. The caller disposes of the answer.</summary>
    public async Task<HttpResponseMessage> OpenFeedAsync(string? cursor, CancellationToken ct)
    {
        var feed = Required((await MetadataAsync(ct)).Revocations, "revocations_endpoint");
        var token = await FeedTokenAsync(ct);
        var request = new HttpRequestMessage(HttpMethod.Get, cursor is null ? new Uri(feed.AbsoluteUri.TrimEnd('/') + "/snapshot") : feed);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (cursor is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", cursor);
        }

        var response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        if (response.StatusCode == HttpStatusCode.OK)
        {
            return response;
        }

        // Whatever was wrong with the token, the next attempt has another.
        _feedToken = null;
        using (response)
        {
            throw new ServerUnavailableException($"The revocation feed answered {(int)response.StatusCode}.");
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>With our name in it, the metadata lead to a JWKS address of our own: the server sees who has a new key already.</summary>
    private async ValueTask<Metadata> MetadataAsync(CancellationToken ct)
    {
        var now = _clock.GetUtcNow();
        if (_metadata is { } known && now - known.FetchedAt < MetadataAge)
        {
            return known;
        }

        var query = _options.ClientId is { } clientId ? "?client_id=" + Uri.EscapeDataString(clientId) : "";
        var address = new Uri(_options.Issuer.TrimEnd('/') + "/.well-known/openid-configuration" + query);
        try
        {
            using var json = Json(await BytesAsync(() => new HttpRequestMessage(HttpMethod.Get, address), ct));
            var root = json.RootElement;
            if (Text(root, "issuer") != _options.Issuer)
            {
                throw new ServerUnavailableException("The metadata are those of another issuer.");
            }

            _metadata = new Metadata(
                Required(Address(root, "jwks_uri"), "jwks_uri"),
                Address(root, "token_endpoint"),
                Address(root, "introspection_endpoint"),
                Address(root, "revocations_endpoint"),
                now);
        }
        catch (ServerUnavailableException) when (_metadata is not null)
        {
            // Addresses hardly ever change: the old ones serve until the server answers again.
        }

        return _metadata;
    }

    private async ValueTask<string> FeedTokenAsync(CancellationToken ct)
    {
        var now = _clock.GetUtcNow();
        if (_feedToken is { } known && now < known.Until)
        {
            return known.Text;
        }

        var metadata = await MetadataAsync(ct);
        using var json = Json(await BytesAsync(
            () => Post(Required(metadata.Token, "token_endpoint"), [new("grant_type", "client_credentials"), new("scope", FeedScope)]), ct));
        if (Text(json.RootElement, "access_token") is not { } token)
        {
            throw new ServerUnavailableException("The server issued no token for the revocation feed.");
        }

        var lifetime = json.RootElement.TryGetProperty("expires_in", out var seconds) && seconds.TryGetInt32(out var value) ? value : 0;
        _feedToken = new FeedToken(token, now + TimeSpan.FromSeconds(lifetime * 0.75));
        return token;
    }

    private HttpRequestMessage Post(Uri address, IEnumerable<KeyValuePair<string, string>> fields)
    {
        // RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
        var credentials = $"{Uri.EscapeDataString(_options.ClientId!)}:{Uri.EscapeDataString(_options.ClientSecret ?? "")}";
        return new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new FormUrlEncodedContent(fields),
            Headers = { Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials))) },
        };
    }

    private async Task<byte[]> BytesAsync(Func<HttpRequestMessage> request, CancellationToken ct)
    {
        using var message = request();
        using var response = await SendAsync(message, HttpCompletionOption.ResponseContentRead, ct);
        return response.StatusCode == HttpStatusCode.OK
            ? await response.Content.ReadAsByteArrayAsync(ct)
            : throw new ServerUnavailableException($"{message.RequestUri!.AbsolutePath} answered {(int)response.StatusCode}.");
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpCompletionOption until, CancellationToken ct)
    {
        try
        {
            return await _http.SendAsync(request, until, ct);
        }
        catch (Exception error) when (error is HttpRequestException or IOException || (error is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new ServerUnavailableException($"{request.RequestUri!.AbsolutePath} could not be asked.", error);
        }
    }

    private static JsonDocument Json(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException error)
        {
            throw new ServerUnavailableException("The server answered something that is no JSON.", error);
        }
    }

    private Uri? Address(JsonElement metadata, string name) =>
        Text(metadata, name) is not { } text ? null
            : Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || !_options.RequireHttps) ? address
            : throw new ServerUnavailableException($"The metadata's {name} is no https address.");

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static Uri Required(Uri? address, string name) => address ?? throw new ServerUnavailableException($"The metadata have no {name}.");

    private sealed record Metadata(Uri Jwks, Uri? Token, Uri? Introspection, Uri? Revocations, DateTimeOffset FetchedAt);

    private sealed record FeedToken(string Text, DateTimeOffset Until)
    {
        public override string ToString() => "[token]";
    }
}
