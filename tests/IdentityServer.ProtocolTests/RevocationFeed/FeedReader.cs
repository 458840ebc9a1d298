using System.Net;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;

namespace IdentityServer.ProtocolTests.RevocationFeed;

/// <summary>Reads the stream, event by event.</summary>
public sealed class FeedReader : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly IAsyncEnumerator<SseItem<string>> _items;
    private readonly SseParser<string> _parser;

    private FeedReader(HttpResponseMessage response, Stream body, CancellationToken ct)
    {
        _response = response;
        _parser = SseParser.Create(body);
        _items = _parser.EnumerateAsync(ct).GetAsyncEnumerator(ct);
    }

    /// <summary>The cursor of the last event.</summary>
    public string LastEventId => _parser.LastEventId;

    public static async Task<FeedReader> OpenAsync(HttpResponseMessage response, CancellationToken ct)
    {
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new FeedReader(response, await response.Content.ReadAsStreamAsync(ct), ct);
    }

    /// <summary>The next event; <see langword="null"/> at the end.</summary>
    public async Task<(string Type, JsonObject Data)?> NextAsync()
    {
        try
        {
            return await _items.MoveNextAsync()
                ? (_items.Current.EventType, JsonNode.Parse(_items.Current.Data)!.AsObject())
                : null;
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>The keys of all revocations up to the next heartbeat.</summary>
    public async Task<IReadOnlyList<string>> UntilHeartbeatAsync()
    {
        var keys = new List<string>();
        while (await NextAsync() is { } next)
        {
            if (next.Type == "heartbeat")
            {
                return keys;
            }

            Assert.Equal("revocation", next.Type);
            keys.Add((string)next.Data["key"]!);
        }

        Assert.Fail("The stream ended.");
        return keys;
    }

    public ValueTask DisposeAsync()
    {
        _response.Dispose();
        return ValueTask.CompletedTask;
    }
}
