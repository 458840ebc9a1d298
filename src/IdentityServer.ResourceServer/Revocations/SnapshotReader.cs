using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;

namespace IdentityServer.ResourceServer.Revocations;

/// <summary>Reads a snapshot of the feed as it arrives, one revocation at a time: however many there are, memory holds one.</summary>
internal sealed class SnapshotReader(Action<FeedRevocation> add)
{
    private const string List = "revocations";

    private JsonReaderState _state;
    private string? _member;
    private bool _isInList;
    private bool _isComplete;
    private string? _cursor;

    /// <summary>Reads all of it and returns the cursor.</summary>
    /// <exception cref="JsonException">It is no snapshot, or only a part of one.</exception>
    public static async Task<string> ReadAsync(Stream body, Action<FeedRevocation> add, CancellationToken ct)
    {
        var snapshot = new SnapshotReader(add);
        var pipe = PipeReader.Create(body);
        while (true)
        {
            var part = await pipe.ReadAsync(ct);
            pipe.AdvanceTo(snapshot.Read(part.Buffer, part.IsCompleted), part.Buffer.End);
            if (part.IsCompleted)
            {
                return snapshot is { _isComplete: true, _cursor: { } cursor } ? cursor : throw new JsonException("The snapshot is incomplete.");
            }
        }
    }

    private SequencePosition Read(ReadOnlySequence<byte> buffer, bool isLast)
    {
        var reader = new Utf8JsonReader(buffer, isLast, _state);
        while (true)
        {
            var before = reader;
            if (!reader.Read() || (_isInList && reader.TokenType == JsonTokenType.StartObject && !TryTake(ref reader, buffer)))
            {
                // The rest of it is still on its way.
                _state = before.CurrentState;
                return before.Position;
            }

            Follow(ref reader);
        }
    }

    private bool TryTake(ref Utf8JsonReader reader, ReadOnlySequence<byte> buffer)
    {
        var start = reader.TokenStartIndex;
        if (!reader.TrySkip())
        {
            return false;
        }

        var item = new Utf8JsonReader(buffer.Slice(start, reader.BytesConsumed - start));
        add(JsonSerializer.Deserialize(ref item, FeedJson.Default.FeedRevocation) ?? throw new JsonException("A revocation is missing."));
        return true;
    }

    private void Follow(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName when reader.CurrentDepth == 1:
                _member = reader.GetString();
                break;
            case JsonTokenType.String when reader.CurrentDepth == 1 && _member == "cursor":
                _cursor = reader.GetString();
                break;
            case JsonTokenType.StartArray when reader.CurrentDepth == 1 && _member == List:
                _isInList = true;
                break;
            case JsonTokenType.EndArray when reader.CurrentDepth == 1:
                _isInList = false;
                break;
            case JsonTokenType.EndObject when reader.CurrentDepth == 0:
                _isComplete = true;
                break;
        }
    }
}
