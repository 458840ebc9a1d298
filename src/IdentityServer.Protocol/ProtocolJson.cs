using System.Text.Json.Serialization;
using IdentityServer.Protocol.Introspect;
using IdentityServer.Protocol.Issuance;

namespace IdentityServer.Protocol;

/// <summary>An error body (RFC 6749 §5.2).</summary>
public sealed record ErrorResponse(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string Description);

/// <summary>How our answers become JSON, generated at build time.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TokenResponse))]
[JsonSerializable(typeof(IntrospectionResponse))]
[JsonSerializable(typeof(ErrorResponse))]
public sealed partial class ProtocolJson : JsonSerializerContext;
