using System.Buffers;
using System.Text;
using System.Text.Json;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Protocol.RevocationFeed;

/// <summary>Writes Server-Sent Events (HTML Living Standard §9.2). A reader who does not take them in time is cut off.</summary>
internal sealed class EventWriter(Stream body, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ArrayBufferWriter<byte> _pending = new(4096);

    public void Revocation(Revocation revocation, FeedCursor cursor) => Add(
        "revocation", cursor, JsonSerializer.SerializeToUtf8Bytes(FeedEntry.Of(revocation), FeedJson.Default.FeedEntry));

    public void Heartbeat(FeedCursor cursor) => Add(
        "heartbeat", cursor, Encoding.ASCII.GetBytes($"{{\"at\":{cursor.At.ToUnixTimeMilliseconds()}}}"));

    public void Resync() => Add("resync", null, "{}"u8);

    public async ValueTask SendAsync(CancellationToken ct)
    {
        if (_pending.WrittenCount == 0)
        {
            return;
        }

        using var late = new CancellationTokenSource(Patience, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct, late.Token);
        await body.WriteAsync(_pending.WrittenMemory, end.Token);
        await body.FlushAsync(end.Token);
        _pending.ResetWrittenCount();
    }

    private void Add(string name, FeedCursor? cursor, ReadOnlySpan<byte> data)
    {
        _pending.Write(Encoding.ASCII.GetBytes($"event: {name}\n"));
        if (cursor is { } id)
        {
            _pending.Write(Encoding.ASCII.GetBytes($"id: {id}\n"));
        }

        _pending.Write("data: "u8);
        _pending.Write(data);
        _pending.Write("\n\n"u8);
    }
}
