using System.Text.Json.Serialization;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Protocol.RevocationFeed;

/// <summary>What a resource server is told of a revocation (docs/resource-servers.md, "The feed"). Times are milliseconds since 1970.</summary>
internal sealed record FeedEntry
{
    [JsonPropertyName("kind")]
    public required string Kind { get; init; }

    [JsonPropertyName("key")]
    public required string Key { get; init; }

    [JsonPropertyName("epoch")]
    public long? Epoch { get; init; }

    [JsonPropertyName("except_sid")]
    public string? ExceptSessionId { get; init; }

    [JsonPropertyName("at")]
    public required long At { get; init; }

    [JsonPropertyName("expires_at")]
    public required long ExpiresAt { get; init; }

    public static FeedEntry Of(Revocation revocation) => new()
    {
        Kind = revocation.Kind.ToString().ToLowerInvariant(),
        Key = revocation.Key,
        Epoch = revocation.IsCutoff ? revocation.Epoch : null,
        ExceptSessionId = revocation.ExceptSessionId,
        At = revocation.At.ToUnixTimeMilliseconds(),
        ExpiresAt = revocation.ExpiresAt.ToUnixTimeMilliseconds(),
    };
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FeedEntry))]
internal sealed partial class FeedJson : JsonSerializerContext;
