using System.Net;
using System.Text.Json.Nodes;

namespace IdentityServer.Testing;

/// <summary>A provider as a relying party learns of it: by its discovery document and its keys.</summary>
public sealed record OpenIdProvider(string Issuer, JsonObject Metadata, JsonObject Jwks)
{
    public Uri Authorization => Endpoint("authorization_endpoint");

    public Uri Token => Endpoint("token_endpoint");

    public Uri UserInfo => Endpoint("userinfo_endpoint");

    public Uri Introspection => Endpoint("introspection_endpoint");

    public Uri Revocation => Endpoint("revocation_endpoint");

    public Uri EndSession => Endpoint("end_session_endpoint");

    /// <summary>The same as one of its nodes has it, without whatever stands before them: the addresses are the node's, the issuer stays.</summary>
    public OpenIdProvider At(Uri node)
    {
        var address = node.GetLeftPart(UriPartial.Authority);
        var metadata = JsonNode.Parse(Metadata.ToJsonString().Replace(Issuer, address, StringComparison.Ordinal))!.AsObject();
        metadata["issuer"] = Issuer;
        return this with { Metadata = metadata };
    }

    /// <summary>Fetches both documents and applies the checks every conformance module starts with.</summary>
    public static async Task<OpenIdProvider> DiscoverAsync(HttpClient http, string issuer, CancellationToken ct)
    {
        var metadata = await FetchAsync(http, new Uri($"{issuer}/.well-known/openid-configuration"), ct);
        Check.Equal(issuer, (string?)metadata["issuer"], "the issuer of the discovery document");
        var jwks = await FetchAsync(http, new Uri((string)metadata["jwks_uri"]!), ct);
        Check.Jwks(jwks);
        return new OpenIdProvider(issuer, metadata, jwks);
    }

    public bool Supports(string list, string value) =>
        Metadata[list] is JsonArray values && values.Any(entry => (string?)entry == value);

    public Uri Endpoint(string name) =>
        new((string?)Metadata[name] ?? throw new CheckFailedException($"The metadata has no {name}."));

    private static async Task<JsonObject> FetchAsync(HttpClient http, Uri address, CancellationToken ct)
    {
        using var response = await http.GetAsync(address, ct);
        Check.That(response.StatusCode == HttpStatusCode.OK, $"{address} answers {(int)response.StatusCode}.");
        var mediaType = response.Content.Headers.ContentType?.MediaType;
        Check.That(mediaType is "application/json" or "application/jwk-set+json", $"{address} is {mediaType}.");
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(ct))!.AsObject();
    }
}
