using IdentityServer.ResourceServer.Keys;
using IdentityServer.ResourceServer.Revocations;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace IdentityServer.ResourceServer.Telemetry;

/// <summary>Whether tokens can be judged.</summary>
internal sealed class TokensHealth(SigningKeys keys, FeedState feed, IdentityServerTokensOptions options) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Judge());

    private HealthCheckResult Judge() => this switch
    {
        _ when !keys.AreKnown => HealthCheckResult.Unhealthy("The issuer's keys were never fetched: no token can be validated."),
        _ when options.FollowRevocations && !feed.IsFresh => options.WhenFeedIsSilent == SilentFeed.FailClosed
            ? HealthCheckResult.Unhealthy("The revocation feed is silent: self-contained tokens are answered with 503.")
            : HealthCheckResult.Degraded("The revocation feed is silent: revoked tokens may be accepted."),
        _ when feed.IsIncomplete => HealthCheckResult.Degraded("The revocation feed told of something this version does not know."),
        _ => HealthCheckResult.Healthy(),
    };
}
