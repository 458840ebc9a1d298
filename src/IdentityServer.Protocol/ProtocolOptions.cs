namespace IdentityServer.Protocol;

/// <summary>What holds for the whole server. The host fills it from the settings section <c>IdentityServer</c>.</summary>
public sealed class ProtocolOptions
{
    /// <summary>The issuer identifier exactly as tokens and metadata carry it: no trailing slash, no query (OpenID Connect Discovery §3).</summary>
    public required string Issuer { get; init; }

    /// <summary>How long an authorization code lives (RFC 6749 §4.1.2 allows 10 min; ASVS 10.4.3 wants 1).</summary>
    public TimeSpan CodeLifetime { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an ID token is valid.</summary>
    public TimeSpan IdTokenLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a paused authorization or sign-out request waits for the person.</summary>
    public TimeSpan PendingLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How far another party's clock may run ahead of ours when we validate what it signed.</summary>
    public TimeSpan ForwardSkew { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a retry of a refresh token just spent gets the same successor back (docs/adr/0005). Not sliding.</summary>
    public TimeSpan RefreshGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the discovery documents may be cached; for the JWKS it is <see cref="Keys.KeyPolicy.DocumentMaxAge"/>, on which the lead time stands.</summary>
    public TimeSpan DocumentMaxAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Languages of the hosted pages, BCP 47.</summary>
    public IReadOnlyList<string> UiLocales { get; init; } = ["en", "zh-Hans"];
}
