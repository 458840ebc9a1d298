using System.Collections.Frozen;

namespace IdentityServer.Protocol.Clients;

/// <summary>
/// What somebody wants to register; what they left out follows the safe defaults of the type (RFC 9700 §2). The one place
/// that says which clients may exist: the command line, the admin API and registration (RFC 7591) all come through here.
/// </summary>
public sealed record ClientDraft(string Id, ClientType Type)
{
    public static readonly TimeSpan ShortestLifetime = TimeSpan.FromSeconds(5);

    /// <summary>Of an access token. Revocations are remembered for longer than this.</summary>
    public static readonly TimeSpan LongestLifetime = TimeSpan.FromHours(12);

    /// <summary>A client that keeps keys for longer is told to fetch them more often.</summary>
    public static readonly TimeSpan LongestKeyCache = TimeSpan.FromDays(14);

    private const int MaxAddresses = 50;
    private const int MaxScopes = 60;
    private static readonly string[] KnownGrants =
        [Clients.GrantTypes.AuthorizationCode, Clients.GrantTypes.RefreshToken, Clients.GrantTypes.ClientCredentials, Clients.GrantTypes.DeviceCode];
    private static readonly string[] KnownMethods =
        [ClientAuthMethods.Basic, ClientAuthMethods.Post, ClientAuthMethods.PrivateKeyJwt, ClientAuthMethods.None];
    private static readonly string[] SigningAlgorithms = ["RS256", "ES256", "PS256", "ES384"];
    private static readonly string[] DefaultScopes = ["openid", "profile", "email"];

    /// <summary>Default: the id.</summary>
    public string? Name { get; init; }

    /// <summary>Default: Basic for what runs on a server, none for what runs at the person's.</summary>
    public string? AuthMethod { get; init; }

    public IReadOnlyList<string> GrantTypes { get; init; } = [];

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public IReadOnlyList<string> RedirectUris { get; init; } = [];

    public IReadOnlyList<string> PostLogoutRedirectUris { get; init; } = [];

    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>Where it is told of the end of a session; <see langword="null"/>: it is not.</summary>
    public string? BackChannelLogoutUri { get; init; }

    /// <summary>What the sign-out page loads in a frame; <see langword="null"/>: nothing.</summary>
    public string? FrontChannelLogoutUri { get; init; }

    /// <summary>In Development this server may call an app on its own machine without TLS.</summary>
    public bool IsForDevelopment { get; init; }

    /// <summary>As read by <see cref="PublicKeySet"/>.</summary>
    public string? Jwks { get; init; }

    public TokenFormat TokenFormat { get; init; } = TokenFormat.Jwt;

    public string IdTokenSigningAlgorithm { get; init; } = "RS256";

    /// <summary><see langword="null"/>: UserInfo is plain JSON.</summary>
    public string? UserInfoSigningAlgorithm { get; init; }

    public TimeSpan? AccessTokenLifetime { get; init; }

    /// <summary>At most <see cref="LongestKeyCache"/>.</summary>
    public TimeSpan? KeyCacheLifetime { get; init; }

    public bool RequireReadiness { get; init; }

    /// <summary>One of <c>AcrValues</c>, or nothing.</summary>
    public string? MinimumAcr { get; init; }

    /// <summary>How long a sign-in counts; nothing: as long as the session.</summary>
    public TimeSpan? DefaultMaxAge { get; init; }

    /// <summary>Default: ask the person, where there is one.</summary>
    public bool? RequireConsent { get; init; }

    /// <summary>True when the client will prove itself with a secret that we generate.</summary>
    public bool WantsSecret => MethodOrDefault is ClientAuthMethods.Basic or ClientAuthMethods.Post;

    private string MethodOrDefault => AuthMethod
        ?? (Type is ClientType.Web or ClientType.Service ? ClientAuthMethods.Basic : ClientAuthMethods.None);

    private IReadOnlyList<string> GrantsOrDefault => GrantTypes.Count > 0 ? GrantTypes : Type switch
    {
        ClientType.Service => [Clients.GrantTypes.ClientCredentials],
        ClientType.Device => [Clients.GrantTypes.DeviceCode, Clients.GrantTypes.RefreshToken],
        ClientType.Web or ClientType.Spa or ClientType.Native =>
            [Clients.GrantTypes.AuthorizationCode, Clients.GrantTypes.RefreshToken],
        _ => throw new InvalidOperationException($"No defaults for {Type}."),
    };

    private IEnumerable<string> ScopesOrDefault =>
        Scopes.Count > 0 ? Scopes.Distinct(StringComparer.Ordinal)
        : Type == ClientType.Service ? []
        : GrantsOrDefault.Contains(Clients.GrantTypes.RefreshToken) ? [.. DefaultScopes, "offline_access"]
        : DefaultScopes;

    /// <summary>Everything that speaks against this client; empty: <see cref="Build"/> it.</summary>
    /// <param name="knownScopes">The standard and the registered scopes.</param>
    public IReadOnlyList<ClientFault> Faults(IReadOnlySet<string> knownScopes) =>
    [
        .. NameFaults(), .. AuthFaults(), .. GrantFaults(), .. AddressFaults(), .. ScopeFaults(knownScopes), .. TokenFaults(),
    ];

    /// <summary>The client, with the defaults filled in. Only for a draft without <see cref="Faults"/>.</summary>
    public Client Build(ClientSecret? secret, DateTimeOffset now) => new()
    {
        Id = Id,
        Type = Type,
        Name = Name ?? Id,
        AuthMethod = MethodOrDefault,
        Secrets = secret is null ? [] : [secret],
        Jwks = Jwks,
        GrantTypes = GrantsOrDefault.ToFrozenSet(StringComparer.Ordinal),
        Scopes = ScopesOrDefault.ToFrozenSet(StringComparer.Ordinal),
        RedirectUris = [.. RedirectUris.Distinct(StringComparer.Ordinal)],
        PostLogoutRedirectUris = [.. PostLogoutRedirectUris.Distinct(StringComparer.Ordinal)],
        AllowedOrigins = [.. AllowedOrigins.Distinct(StringComparer.Ordinal)],
        BackChannelLogoutUri = BackChannelLogoutUri,
        FrontChannelLogoutUri = FrontChannelLogoutUri,
        TokenFormat = TokenFormat,
        IdTokenSigningAlgorithm = IdTokenSigningAlgorithm,
        UserInfoSigningAlgorithm = UserInfoSigningAlgorithm,
        AccessTokenLifetime = AccessTokenLifetime ?? TimeSpan.FromMinutes(10),
        KeyCacheLifetime = KeyCacheLifetime,
        RequireReadiness = RequireReadiness,
        MinimumAcr = MinimumAcr,
        DefaultMaxAge = DefaultMaxAge,
        RequireConsent = RequireConsent ?? Type != ClientType.Service,
        CreatedAt = now,
    };

    private IEnumerable<ClientFault> NameFaults()
    {
        if (Identifiers.Fault(Id) is { } fault)
        {
            yield return new("client_id", $"The client id {fault}");
        }

        if (Name is not null && Identifiers.DisplayFault(Name) is { } nameFault)
        {
            yield return new("client_name", $"The name {nameFault}");
        }
    }

    private IEnumerable<ClientFault> AuthFaults()
    {
        const string Field = "token_endpoint_auth_method";
        var method = MethodOrDefault;
        if (!KnownMethods.Contains(method))
        {
            yield return new(Field, $"The authentication method is not known; use one of {string.Join(", ", KnownMethods)}.");
        }
        else if (Type is ClientType.Spa or ClientType.Native && method != ClientAuthMethods.None)
        {
            yield return new(Field, "An app that runs at the person's cannot keep a secret: its authentication method is none (PKCE protects it).");
        }

        if (method == ClientAuthMethods.PrivateKeyJwt && Jwks is null)
        {
            yield return new("jwks", "The authentication method private_key_jwt needs the client's public keys.");
        }
        else if (method != ClientAuthMethods.PrivateKeyJwt && Jwks is not null)
        {
            yield return new("jwks", $"Public keys have no use with the authentication method {method}; use private_key_jwt.");
        }
    }

    private IEnumerable<ClientFault> GrantFaults()
    {
        const string Field = "grant_types";
        var grants = GrantsOrDefault;
        if (grants.Any(grant => !KnownGrants.Contains(grant)))
        {
            yield return new(Field, $"A grant is not known; use {string.Join(", ", KnownGrants)}.");
        }

        if (grants.Contains(Clients.GrantTypes.ClientCredentials) && MethodOrDefault == ClientAuthMethods.None)
        {
            yield return new(Field, "A public client may not use client_credentials: there is nothing it could prove itself with.");
        }

        if (grants.Contains(Clients.GrantTypes.RefreshToken)
            && !grants.Contains(Clients.GrantTypes.AuthorizationCode) && !grants.Contains(Clients.GrantTypes.DeviceCode))
        {
            yield return new(Field, "refresh_token needs authorization_code or device_code beside it.");
        }
    }

    private IEnumerable<ClientFault> AddressFaults()
    {
        var usesCode = GrantsOrDefault.Contains(Clients.GrantTypes.AuthorizationCode);
        if (usesCode && RedirectUris.Count == 0)
        {
            yield return new("redirect_uris", "A client that uses authorization_code needs at least one redirect URI.");
        }

        if (!usesCode && RedirectUris.Count > 0)
        {
            yield return new("redirect_uris", "Redirect URIs have no use without the grant authorization_code.");
        }

        if (RedirectUris.Count > MaxAddresses || PostLogoutRedirectUris.Count > MaxAddresses || AllowedOrigins.Count > MaxAddresses)
        {
            yield return new("redirect_uris", $"At most {MaxAddresses} addresses of a kind.");
        }

        foreach (var uri in RedirectUris)
        {
            if (RedirectUriRules.Fault(uri, Type) is { } fault)
            {
                yield return new("redirect_uris", $"The redirect URI {Shown(uri)} {fault}");
            }
        }

        foreach (var uri in PostLogoutRedirectUris)
        {
            if (RedirectUriRules.Fault(uri, Type) is { } fault)
            {
                yield return new("post_logout_redirect_uris", $"The post-logout redirect URI {Shown(uri)} {fault}");
            }
        }

        foreach (var origin in AllowedOrigins)
        {
            if (RedirectUriRules.OriginFault(origin) is { } fault)
            {
                yield return new("allowed_origins", $"The origin {Shown(origin)} {fault}");
            }
        }

        foreach (var fault in LogoutFaults(BackChannelLogoutUri, FrontChannelLogoutUri, RedirectUris, IsForDevelopment))
        {
            yield return fault;
        }
    }

    /// <summary>What speaks against these addresses for logout; <see langword="null"/> is none.</summary>
    public static IEnumerable<ClientFault> LogoutFaults(
        string? backChannel, string? frontChannel, IReadOnlyList<string> redirectUris, bool isForDevelopment)
    {
        if (backChannel is not null && RedirectUriRules.BackChannelFault(backChannel, isForDevelopment) is { } back)
        {
            yield return new("backchannel_logout_uri", $"The back-channel logout URI {Shown(backChannel)} {back}");
        }

        if (frontChannel is not null && RedirectUriRules.FrontChannelFault(frontChannel, redirectUris) is { } front)
        {
            yield return new("frontchannel_logout_uri", $"The front-channel logout URI {Shown(frontChannel)} {front}");
        }
    }

    private IEnumerable<ClientFault> ScopeFaults(IReadOnlySet<string> knownScopes)
    {
        if (Scopes.Count > MaxScopes)
        {
            yield return new("scope", $"At most {MaxScopes} scopes.");
        }

        foreach (var scope in Scopes.Where(scope => !knownScopes.Contains(scope)))
        {
            yield return new("scope", $"The scope {Shown(scope)} does not exist.") { Scope = scope };
        }
    }

    private IEnumerable<ClientFault> TokenFaults()
    {
        if (!SigningAlgorithms.Contains(IdTokenSigningAlgorithm))
        {
            yield return new("id_token_signed_response_alg", $"The algorithm of ID tokens is one of {string.Join(", ", SigningAlgorithms)}.");
        }

        if (UserInfoSigningAlgorithm is not null && !SigningAlgorithms.Contains(UserInfoSigningAlgorithm))
        {
            yield return new("userinfo_signed_response_alg", $"The algorithm of signed UserInfo is one of {string.Join(", ", SigningAlgorithms)}.");
        }

        if (KeyCacheFault(KeyCacheLifetime) is { } cacheFault)
        {
            yield return cacheFault;
        }

        if (AccessTokenLifetime is { } lifetime && (lifetime < ShortestLifetime || lifetime > LongestLifetime))
        {
            yield return new(
                "access_token_lifetime",
                $"An access token lives {ShortestLifetime.TotalSeconds:0} to {LongestLifetime.TotalSeconds:0} seconds.");
        }
    }

    /// <summary>What speaks against a key cache of this length.</summary>
    public static ClientFault? KeyCacheFault(TimeSpan? lifetime) => lifetime is { } cache && (cache < TimeSpan.Zero || cache > LongestKeyCache)
        ? new("key_cache_lifetime", $"A client keeps keys for at most {LongestKeyCache.TotalDays:0} days; let it fetch them more often.")
        : null;

    // What was typed is shown back without what could disturb a terminal or a log line.
    private static string Shown(string text) => Identifiers.Shown(text);
}

/// <summary>One reason against a client.</summary>
/// <param name="Field">The metadata at fault, in RFC 7591's words.</param>
/// <param name="Message">A sentence for whoever registers the client.</param>
public sealed record ClientFault(string Field, string Message)
{
    /// <summary>The scope that does not exist, when that is the fault.</summary>
    public string? Scope { get; init; }
}
