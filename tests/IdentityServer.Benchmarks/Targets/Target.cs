using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>An OpenID Connect server under load, and the clients that load it.</summary>
internal sealed record Target
{
    public const string RedirectUri = "http://127.0.0.1:9/cb";
    public const string Scope = "openid offline_access bench.read";
    public const string ServiceScope = "bench.read";

    public static readonly Person Alice = new("alice", "correct-horse-battery-staple-17");

    public required string Name { get; init; }

    public required MeasuredProcess Process { get; init; }

    /// <summary>Its ID tokens are signed ES256.</summary>
    public required RelyingParty Client { get; init; }

    /// <summary>The same with RS256, where the server was given one.</summary>
    public RelyingParty? Rs256Client { get; init; }

    /// <summary>What a client_credentials request must add so that the token can be introspected.</summary>
    public IReadOnlyDictionary<string, string> ForIntrospection { get; init; } = new Dictionary<string, string>();

    public OpenIdProvider Provider => Client.Provider;

    public Uri Jwks => Provider.Endpoint("jwks_uri");

    public Uri Discovery => DiscoveryOf(Provider.Issuer);

    public static Uri DiscoveryOf(string issuer) => new($"{issuer}/.well-known/openid-configuration");

    public static RelyingParty NewClient(HttpClient http, OpenIdProvider provider, string id, string secret) => new()
    {
        Http = http,
        Provider = provider,
        Clock = TimeProvider.System,
        ClientId = id,
        Secret = secret,
        RedirectUri = RedirectUri,
    };
}
