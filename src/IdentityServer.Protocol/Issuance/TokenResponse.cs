using System.Text.Json.Serialization;

namespace IdentityServer.Protocol.Issuance;

/// <summary>A successful answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).</summary>
public sealed record TokenResponse
{
    [JsonPropertyName("access_token")]
    public required string AccessToken { get; init; }

    [JsonPropertyName("token_type")]
    public required string TokenType { get; init; }

    /// <summary>Seconds.</summary>
    [JsonPropertyName("expires_in")]
    public required long ExpiresIn { get; init; }

    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    [JsonPropertyName("refresh_token")]
    public string? RefreshToken { get; init; }

    [JsonPropertyName("id_token")]
    public string? IdToken { get; init; }

    /// <summary>Deliberately blank: it holds tokens.</summary>
    public override string ToString() => "[tokens]";
}
