using System.Buffers;
using System.Text.Json;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Scopes;

namespace IdentityServer.Protocol.RevocationFeed;

/// <summary>
/// Tells resource servers what has ended, as it happens, so that they refuse self-contained tokens without asking for each
/// (docs/resource-servers.md, "The feed"). An event may come twice; none is left out.
/// </summary>
public sealed class RevocationFeedEndpoint(
    AccessTokenReader tokens,
    ChangeFeed changes,
    IChangeLog log,
    IRevocations revocations,
    RevocationTail tail,
    ProtocolOptions options,
    TimeProvider clock)
{
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(2);

    private static readonly ProtocolError TooMany =
        new("temporarily_unavailable", "The client has too many streams open.") { Status = 429 };

    private readonly StreamPlaces _places = new();

    /// <summary>The stream: what ended since the cursor, then what ends, and a heartbeat while this node knows of everything.</summary>
    public async ValueTask<ProtocolResponse> HandleAsync(OAuthRequest request, CancellationToken ct)
    {
        if (!(await AdmitAsync(request, ct)).TryGet(out var reader, out var error))
        {
            return error.Status is 401 or 403 ? new ProtocolResponse.Challenge(error == NoToken ? null : error) : error;
        }

        if (!_places.TryTake(reader.ClientId))
        {
            return TooMany;
        }

        var asked = request.LastEventId ?? request.Parameters["after"];
        return new ProtocolResponse.Live("text/event-stream", async (body, ct) =>
        {
            try
            {
                await FollowAsync(new EventWriter(body, clock), reader, asked, ct);
            }
            finally
            {
                _places.Free(reader.ClientId);
            }
        });
    }

    /// <summary>Everything that has ended and is worth remembering, and the cursor from which the stream goes on.</summary>
    public async ValueTask<ProtocolResponse> SnapshotAsync(OAuthRequest request, CancellationToken ct) =>
        (await AdmitAsync(request, ct)).TryGet(out _, out var error)
            ? new ProtocolResponse.Live("application/json", WriteSnapshotAsync)
            : error.Status is 401 or 403 ? new ProtocolResponse.Challenge(error == NoToken ? null : error) : error;

    private static ProtocolError NoToken { get; } = new("no_token", "") { Status = 401 };

    /// <summary>A client that an operator gave the scope, for itself: no person's token opens this.</summary>
    private async ValueTask<Result<Reader>> AdmitAsync(OAuthRequest request, CancellationToken ct)
    {
        const string Scheme = "Bearer ";
        if (request.Authorization is not { } header
            || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            || header[Scheme.Length..].Trim() is not { Length: > 0 } text)
        {
            return NoToken;
        }

        if (await tokens.ReadAsync(text, ct) is not { } token)
        {
            return ProtocolError.InvalidToken();
        }

        if (token.IsOfPerson
            || !token.Scopes.Contains(AdminScopes.Revocations, StringComparer.Ordinal)
            || !token.Audience.Contains(options.Issuer, StringComparer.Ordinal))
        {
            return ProtocolError.InsufficientScope(AdminScopes.Revocations);
        }

        // What this node remembers is behind: another one may do better.
        return changes.IsFresh ? new Reader(token.ClientId, text) : ProtocolError.TemporarilyUnavailable;
    }

    private async Task FollowAsync(EventWriter events, Reader reader, string? asked, CancellationToken ct)
    {
        // 1 whoever asks for what the log no longer holds, or never held, starts over from a snapshot
        var settled = new FeedCursor(changes.Settled, clock.GetUtcNow());
        var start = settled;
        if (asked is not null)
        {
            if (FeedCursor.Parse(asked) is not { } cursor || !cursor.IsKnown(await log.LatestAsync(ct), clock.GetUtcNow()))
            {
                events.Resync();
                await events.SendAsync(ct);
                return;
            }

            start = cursor;
        }

        // 2 the log up to now; the place in the tail is taken first, so what becomes visible meanwhile is met there
        var place = tail.End;
        await CatchUpAsync(events, start, settled.Sequence, ct);

        // 3 what comes, each time this node has read the log; a node that cannot read it is silent
        var told = start.Sequence > settled.Sequence ? start : settled;
        DateTimeOffset? lastHeartbeat = null;
        while (true)
        {
            var next = changes.NextRead;
            var known = Math.Max(told.Sequence, changes.Settled);
            if (tail.Read(ref place) is not { } fresh)
            {
                return;
            }

            var now = clock.GetUtcNow();
            var isDue = changes.IsFresh && (lastHeartbeat is not { } last || now - last >= Heartbeat);
            if ((isDue || fresh.Count > 0) && await tokens.ReadAsync(reader.Token, ct) is null)
            {
                return;
            }

            if (fresh.Count > 0)
            {
                // With each goes the cursor from before all of them, some of which may be settled by now: whoever is cut off amidst them
                // gets the rest. And a node that slept tells of old rows: by its cursor the log is asked for no more than it holds.
                var oldest = fresh.Min(revocation => revocation.At);
                var cursor = oldest < told.At ? told with { At = oldest } : told;
                foreach (var revocation in fresh)
                {
                    events.Revocation(revocation, cursor);
                }
            }

            told = new FeedCursor(known, now);
            if (isDue)
            {
                events.Heartbeat(told);
                lastHeartbeat = now;
            }

            await events.SendAsync(ct);
            await next.WaitAsync(ct);
        }
    }

    private async ValueTask CatchUpAsync(EventWriter events, FeedCursor start, long settled, CancellationToken ct)
    {
        var position = start.Sequence;
        while (true)
        {
            var page = await log.ReadAsync(position, ct);
            foreach (var change in page)
            {
                position = change.Sequence;
                if (change.Kind == ChangeKind.Revocation)
                {
                    // Not past what is settled: a row with a lower number may still appear. Never back, either.
                    var done = Math.Max(start.Sequence, Math.Min(position, settled));
                    events.Revocation(RevocationList.Parse(change.Key), new FeedCursor(done, done == start.Sequence ? start.At : change.At));
                }
            }

            await events.SendAsync(ct);
            if (page.Count < 1000)
            {
                return;
            }
        }
    }

    private async Task WriteSnapshotAsync(Stream body, CancellationToken ct)
    {
        // The cursor is taken first: what ends while the rest is read may be told twice.
        var now = clock.GetUtcNow();
        var cursor = new FeedCursor(changes.Settled, now);
        var part = new ArrayBufferWriter<byte>();
        await using var json = new Utf8JsonWriter(part);
        json.WriteStartObject();
        json.WriteString("cursor", cursor.ToString());
        json.WriteNumber("at", now.ToUnixTimeMilliseconds());
        json.WriteStartArray("revocations");
        await foreach (var page in revocations.PagesAsync(now, ct))
        {
            foreach (var revocation in page)
            {
                JsonSerializer.Serialize(json, FeedEntry.Of(revocation), FeedJson.Default.FeedEntry);
            }

            await json.FlushAsync(ct);
            await body.WriteAsync(part.WrittenMemory, ct);
            part.ResetWrittenCount();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        await json.FlushAsync(ct);
        await body.WriteAsync(part.WrittenMemory, ct);
    }

    /// <summary>Who reads, with the token that allows it.</summary>
    private sealed record Reader(string ClientId, string Token)
    {
        private bool PrintMembers(System.Text.StringBuilder text)
        {
            text.Append(ClientId);
            return true;
        }
    }
}
