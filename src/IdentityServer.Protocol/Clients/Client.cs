using System.Collections.Frozen;
using System.Security.Cryptography;

namespace IdentityServer.Protocol.Clients;

/// <summary>The kind of app; decides the safe defaults (RFC 6749 §2.1, RFC 8252, RFC 8628).</summary>
public enum ClientType
{
    Web,
    Spa,
    Native,
    Service,
    Device,
}

/// <summary>What the client's access tokens look like.</summary>
public enum TokenFormat
{
    /// <summary>Signed and self-contained (RFC 9068).</summary>
    Jwt,

    /// <summary>An opaque handle; only introspection says what it means.</summary>
    Reference,
}

/// <summary>Values of <c>token_endpoint_auth_method</c> (OpenID Connect Core §9).</summary>
public static class ClientAuthMethods
{
    public const string Basic = "client_secret_basic";
    public const string Post = "client_secret_post";
    public const string PrivateKeyJwt = "private_key_jwt";
    public const string None = "none";
}

/// <summary>Values of <c>grant_type</c>.</summary>
public static class GrantTypes
{
    public const string AuthorizationCode = "authorization_code";
    public const string ClientCredentials = "client_credentials";
    public const string RefreshToken = "refresh_token";
    public const string DeviceCode = "urn:ietf:params:oauth:grant-type:device_code";
}

/// <summary>One live secret of a client. Several may live at a time, so that they rotate without downtime.</summary>
/// <param name="Id">Names the secret in lists; no secret itself.</param>
/// <param name="Hash">SHA-256 of the secret, 64 hexadecimal digits in capitals (<see cref="Handle.HashOf"/>).</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="ExpiresAt">When it stops working; <see langword="null"/>: never.</param>
public sealed record ClientSecret(string Id, string Hash, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt)
{
    private readonly byte[] _hash = Convert.FromHexString(Hash);

    /// <summary>Constant-time comparison with the SHA-256 of what was presented.</summary>
    public bool Matches(ReadOnlySpan<byte> presentedHash) => CryptographicOperations.FixedTimeEquals(_hash, presentedHash);
}

/// <summary>An app or service that may ask for tokens. Immutable; the words are RFC 7591's where it has one.</summary>
public sealed record Client
{
    public required string Id { get; init; }

    public required ClientType Type { get; init; }

    /// <summary>What people read on the consent page (<c>client_name</c>).</summary>
    public required string Name { get; init; }

    public required string AuthMethod { get; init; }

    public IReadOnlyList<ClientSecret> Secrets { get; init; } = [];

    /// <summary>Public keys for <c>private_key_jwt</c>: a JWK Set as JSON text.</summary>
    public string? Jwks { get; init; }

    public FrozenSet<string> GrantTypes { get; init; } = [];

    public FrozenSet<string> Scopes { get; init; } = [];

    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];

    /// <summary>Origins whose scripts may call us; for <see cref="ClientType.Spa"/> those of its redirect URIs are added.</summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    public TokenFormat TokenFormat { get; init; } = TokenFormat.Jwt;

    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A refresh token unused for this long is dead.</summary>
    public TimeSpan RefreshIdleLifetime { get; init; } = TimeSpan.FromDays(30);

    /// <summary>No refresh token of a grant outlives this, however often it is used (ASVS 10.4.8).</summary>
    public TimeSpan RefreshAbsoluteLifetime { get; init; } = TimeSpan.FromDays(90);

    /// <summary>Ask the person before the first token. Off only for an organisation's own apps.</summary>
    public bool RequireConsent { get; init; } = true;

    /// <summary><c>id_token_signed_response_alg</c>.</summary>
    public string IdTokenSigningAlgorithm { get; init; } = "RS256";

    /// <summary><c>userinfo_signed_response_alg</c>; <see langword="null"/>: plain JSON.</summary>
    public string? UserInfoSigningAlgorithm { get; init; }

    /// <summary>How long this client may keep a key set before it fetches again, where that is more than stock .NET's 12 hours.</summary>
    public TimeSpan? KeyCacheLifetime { get; init; }

    /// <summary>A rollover waits until this client has fetched the new key at its own JWKS address.</summary>
    public bool RequireReadiness { get; init; }

    /// <summary>How strongly people must sign in for this client: one of <c>AcrValues</c>; <see langword="null"/>: as they like.</summary>
    public string? MinimumAcr { get; init; }

    /// <summary>For this client a sign-in counts for so long, unless it asks for less (<c>default_max_age</c>).</summary>
    public TimeSpan? DefaultMaxAge { get; init; }

    /// <summary><c>backchannel_logout_uri</c>: told by this server when a session ends (OpenID Connect Back-Channel Logout 1.0 §2.2).</summary>
    public string? BackChannelLogoutUri { get; init; }

    /// <summary><c>frontchannel_logout_uri</c>: loaded in a frame of the sign-out page (OpenID Connect Front-Channel Logout 1.0 §2).</summary>
    public string? FrontChannelLogoutUri { get; init; }

    public string? ClientUri { get; init; }

    public string? LogoUri { get; init; }

    public string? PolicyUri { get; init; }

    public string? TosUri { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>Changes with every save; an update made on an older one is refused.</summary>
    public int Version { get; init; }

    public bool IsPublic => AuthMethod == ClientAuthMethods.None;

    public bool MayUse(string grantType) => GrantTypes.Contains(grantType);
}
