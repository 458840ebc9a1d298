using System.Text.Json.Serialization;

namespace IdentityServer.Protocol.Introspect;

/// <summary>What introspection tells (RFC 7662 §2.2). Times are seconds since 1970.</summary>
public sealed record IntrospectionResponse
{
    /// <summary>The one answer for every token that is unknown, over, or not the caller's to ask about.</summary>
    public static IntrospectionResponse Inactive { get; } = new() { Active = false };

    [JsonPropertyName("active")]
    public required bool Active { get; init; }

    [JsonPropertyName("iss")]
    public string? Issuer { get; init; }

    [JsonPropertyName("sub")]
    public string? Subject { get; init; }

    [JsonPropertyName("aud")]
    public IReadOnlyList<string>? Audience { get; init; }

    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    [JsonPropertyName("token_type")]
    public string? TokenType { get; init; }

    [JsonPropertyName("exp")]
    public long? ExpiresAt { get; init; }

    [JsonPropertyName("iat")]
    public long? IssuedAt { get; init; }

    [JsonPropertyName("jti")]
    public string? Id { get; init; }

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

    /// <summary>As in a JWT: which cutoffs came before it, for whoever follows the revocation feed.</summary>
    [JsonPropertyName("epoch")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long Epoch { get; init; }
}
