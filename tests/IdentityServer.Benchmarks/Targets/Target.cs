using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Serialization;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>An OpenID Connect server under load, known by its discovery document.</summary>
internal sealed record Target
{
    public required string Name { get; init; }

    public required ServerProcess Process { get; init; }

    public required ServerMetadata Metadata { get; init; }

    public required Uri Discovery { get; init; }

    public required Credentials Client { get; init; }

    /// <summary>The same client with ID tokens signed RS256, where the server was given one.</summary>
    public Credentials? Rs256Client { get; init; }

    /// <summary>What a client_credentials request must add so that the token can be introspected.</summary>
    public string IntrospectableToken { get; init; } = "";

    public static Uri DiscoveryOf(string origin) => new($"{origin}/.well-known/openid-configuration");

    public static async Task<ServerMetadata> DiscoverAsync(HttpClient http, Uri discovery, CancellationToken ct) =>
        await http.GetFromJsonAsync<ServerMetadata>(discovery, ct)
        ?? throw new InvalidOperationException("The discovery document is empty.");
}

/// <summary>A client and its secret.</summary>
internal sealed record Credentials(string Id, string Secret)
{
    public AuthenticationHeaderValue Basic => new(
        "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Uri.EscapeDataString(Id)}:{Uri.EscapeDataString(Secret)}")));
}

/// <summary>The endpoints we need of a discovery document (OpenID Connect Discovery 1.0, section 3).</summary>
internal sealed record ServerMetadata(
    [property: JsonPropertyName("authorization_endpoint")] Uri Authorization,
    [property: JsonPropertyName("token_endpoint")] Uri Token,
    [property: JsonPropertyName("introspection_endpoint")] Uri Introspection,
    [property: JsonPropertyName("jwks_uri")] Uri Jwks);

/// <summary>A token endpoint's answer (RFC 6749, section 5.1).</summary>
internal sealed record TokenAnswer(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("refresh_token")] string? RefreshToken,
    [property: JsonPropertyName("id_token")] string? IdToken);
