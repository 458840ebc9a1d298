using System.Text.Json;
using System.Text.Json.Serialization;

namespace IdentityServer.Protocol.Grants;

/// <summary>What a code is bound to besides its grant; stored as <see cref="TokenRecord.Payload"/>.</summary>
/// <param name="RedirectUri">As sent in the authorization request.</param>
/// <param name="CodeChallenge">S256.</param>
/// <param name="Nonce">For the ID token.</param>
public sealed record AuthorizationCode(
    [property: JsonPropertyName("redirect_uri")] string RedirectUri,
    [property: JsonPropertyName("code_challenge")] string CodeChallenge,
    [property: JsonPropertyName("nonce")] string? Nonce)
{
    public string ToJson() => JsonSerializer.Serialize(this, GrantsJson.Default.AuthorizationCode);

    public static AuthorizationCode? FromJson(string? json) =>
        json is null ? null : JsonSerializer.Deserialize(json, GrantsJson.Default.AuthorizationCode);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuthorizationCode))]
internal sealed partial class GrantsJson : JsonSerializerContext;
