using System.Net;
using System.Threading.RateLimiting;
using IdentityServer.Throttling;

namespace IdentityServer.Passkeys;

/// <summary>
/// Bounds how many ceremonies a network begins on this node: each is a row, and nobody has proven anything yet. Everybody's sign-in page
/// begins one, so there is room for a whole office.
/// </summary>
public sealed class PasskeyTraffic : IDisposable
{
    /// <summary>When somebody who was turned away may come again.</summary>
    public const int WaitSeconds = 10;

    /// <summary>How many may begin at the same moment.</summary>
    internal const int Burst = 300;

    private readonly PartitionedRateLimiter<IPAddress?> _limiter = PartitionedRateLimiter.Create<IPAddress?, string>(address =>
        RateLimitPartition.GetTokenBucketLimiter(Networks.Of(address), _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = Burst,
            TokensPerPeriod = 5,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        }));

    /// <summary>Counts one more.</summary>
    public bool MayBegin(HttpContext http)
    {
        using var lease = _limiter.AttemptAcquire(http.Connection.RemoteIpAddress);
        return lease.IsAcquired;
    }

    public void Dispose() => _limiter.Dispose();
}
