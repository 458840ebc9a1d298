using Microsoft.AspNetCore.Authentication;

namespace IdentityServer.ResourceServer;

/// <summary>How an API accepts access tokens. Issuer and audience come from <see cref="IdentityServerTokens.AddIdentityServerTokens"/>.</summary>
public sealed class IdentityServerTokensOptions : AuthenticationSchemeOptions
{
    /// <summary>The server's issuer identifier, exactly as tokens carry it.</summary>
    public string Issuer { get; internal set; } = "";

    /// <summary>The API's own name: a token made for another one opens nothing here.</summary>
    public string Audience { get; internal set; } = "";

    /// <summary>
    /// The API's own client at the server: with the scope <c>revocations</c> it follows the feed, and it introspects reference tokens.
    /// </summary>
    public string? ClientId { get; set; }

    /// <summary>The client's secret.</summary>
    public string? ClientSecret { get; set; }

    /// <summary>
    /// Whether to follow the revocation feed. Without it, a self-contained token that was revoked is accepted until it expires.
    /// </summary>
    public bool FollowRevocations { get; set; } = true;

    /// <summary>What happens to self-contained tokens while the feed is silent.</summary>
    public SilentFeed WhenFeedIsSilent { get; set; } = SilentFeed.FailClosed;

    /// <summary>For how long the feed may say nothing before it counts as silent. The server's heartbeat comes every two seconds.</summary>
    public TimeSpan FeedSilence { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What the issuer signs access tokens with; nothing else is accepted, whatever a token's header claims.</summary>
    public IReadOnlyCollection<string> Algorithms { get; set; } = ["ES256", "RS256"];

    /// <summary>How far this machine's clock may differ from the server's.</summary>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How often the keys are fetched anew in the background, long before anybody needs a new one.</summary>
    public TimeSpan KeyRefresh { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>For how long the answer about a reference token is believed, at most until the token expires and while the feed speaks.</summary>
    public TimeSpan IntrospectionCache { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long the start of the application waits for the feed, so that its first requests find it followed.</summary>
    public TimeSpan StartupWait { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the server must be asked over https. Off only for development on one machine.</summary>
    public bool RequireHttps { get; set; } = true;

    /// <summary>What requests to the server go through; for a proxy, client certificates, tests.</summary>
    public HttpMessageHandler? BackchannelHandler { get; set; }

    /// <inheritdoc />
    public override void Validate()
    {
        base.Validate();
        if (!Uri.TryCreate(Issuer, UriKind.Absolute, out var issuer) || issuer.Query.Length + issuer.Fragment.Length > 0)
        {
            throw new InvalidOperationException("The issuer must be an absolute address without query and fragment.");
        }

        if (RequireHttps && issuer.Scheme != Uri.UriSchemeHttps)
        {
            throw new InvalidOperationException("The issuer must be an https address: keys fetched over plain http could be anyone's.");
        }

        if (Audience.Length == 0)
        {
            throw new InvalidOperationException("The audience must be named: without it a token for any other API would open this one.");
        }

        if (FollowRevocations && (ClientId is null || ClientSecret is null))
        {
            throw new InvalidOperationException(
                "To follow revocations, set ClientId and ClientSecret to a client with the scope \"revocations\". "
                + "To accept revoked tokens until they expire, set FollowRevocations to false.");
        }

        if (FeedSilence < TimeSpan.FromSeconds(3))
        {
            throw new InvalidOperationException("FeedSilence must be 3 s or more: the heartbeat comes every 2 s.");
        }

        if (Algorithms.Count == 0 || Algorithms.Any(algorithm => algorithm.StartsWith("HS", StringComparison.Ordinal) || algorithm == "none"))
        {
            throw new InvalidOperationException("Algorithms must name public-key signatures.");
        }
    }
}

/// <summary>What happens to self-contained tokens while it is not known what has ended.</summary>
public enum SilentFeed
{
    /// <summary>They are answered with 503: the token may be good, only nobody can tell. An outage of the feed is one of the API.</summary>
    FailClosed = 0,

    /// <summary>They are accepted until they expire, unless they were known to have ended. A revocation may be missed meanwhile.</summary>
    AcceptUntilExpiry = 1,
}
