using System.Text.Json;
using System.Text.Json.Serialization;
using IdentityServer.Protocol.Revocations;

namespace IdentityServer.Protocol.Issuance;

/// <summary>The claims of an access token (RFC 9068 §2.2), in a JWT or stored with a reference token. Times are seconds since 1970.</summary>
public sealed record AccessToken : IEndable
{
    [JsonPropertyName("iss")]
    public required string Issuer { get; init; }

    [JsonPropertyName("sub")]
    public required string Subject { get; init; }

    [JsonPropertyName("aud")]
    public required IReadOnlyList<string> Audience { get; init; }

    [JsonPropertyName("exp")]
    public required long ExpiresAt { get; init; }

    [JsonPropertyName("iat")]
    public required long IssuedAt { get; init; }

    [JsonPropertyName("jti")]
    public required string Id { get; init; }

    [JsonPropertyName("client_id")]
    public required string ClientId { get; init; }

    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    [JsonPropertyName("sid")]
    public string? SessionId { get; init; }

    [JsonPropertyName("gid")]
    public string? GrantId { get; init; }

    [JsonPropertyName("auth_time")]
    public long? AuthenticatedAt { get; init; }

    [JsonPropertyName("acr")]
    public string? Acr { get; init; }

    [JsonPropertyName("amr")]
    public IReadOnlyList<string>? Amr { get; init; }

    /// <summary>The number of the latest cutoff when it was granted; one of its person or client with a higher number ends it (docs/adr/0017).</summary>
    [JsonPropertyName("epoch")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Epoch { get; init; }

    /// <summary>True when it speaks of a person, not of the client itself.</summary>
    [JsonIgnore]
    public bool IsOfPerson => GrantId is not null;

    [JsonIgnore]
    public IReadOnlyList<string> Scopes => Scope?.Split(' ') ?? [];

    /// <summary>What an entitlement says, as claims.</summary>
    public static AccessToken Of(Entitlement entitlement, string issuer, IReadOnlyList<string> audience, long epoch)
    {
        var grant = entitlement.Grant;
        return new AccessToken
        {
            Issuer = issuer,
            Subject = entitlement.Subject,
            Audience = audience,
            IssuedAt = entitlement.IssuedAt.ToUnixTimeSeconds(),
            ExpiresAt = entitlement.ExpiresAt.ToUnixTimeSeconds(),
            Id = entitlement.TokenId,
            ClientId = entitlement.Client.Id,
            Scope = entitlement.Scopes.Count == 0 ? null : string.Join(' ', entitlement.Scopes),
            GrantId = grant?.Id,

            // An offline grant outlives its session, and so do its tokens: they do not name it.
            SessionId = grant is { IsOffline: false } ? grant.SessionId : null,
            AuthenticatedAt = grant?.AuthenticatedAt.ToUnixTimeSeconds(),
            Acr = grant?.Acr,
            Amr = grant?.Amr,
            Epoch = epoch,
        };
    }

    public static AccessToken? FromJson(string json) => JsonSerializer.Deserialize(json, IssuanceJson.Default.AccessToken);

    public string ToJson() => JsonSerializer.Serialize(this, IssuanceJson.Default.AccessToken);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AccessToken))]
internal sealed partial class IssuanceJson : JsonSerializerContext;
