using System.Text.Json.Serialization;

namespace IdentityServer.ResourceServer.Revocations;

/// <summary>A revocation as the feed tells it. Times are milliseconds since 1970.</summary>
internal sealed record FeedRevocation
{
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    [JsonPropertyName("key")]
    public string Key { get; init; } = "";

    [JsonPropertyName("epoch")]
    public long Epoch { get; init; }

    [JsonPropertyName("except_sid")]
    public string? ExceptSessionId { get; init; }

    [JsonPropertyName("at")]
    public required long At { get; init; }

    [JsonPropertyName("expires_at")]
    public required long ExpiresAt { get; init; }
}

/// <summary>A heartbeat.</summary>
internal sealed record FeedHeartbeat
{
    [JsonPropertyName("at")]
    public required long At { get; init; }
}

[JsonSerializable(typeof(FeedRevocation))]
[JsonSerializable(typeof(FeedHeartbeat))]
internal sealed partial class FeedJson : JsonSerializerContext;
