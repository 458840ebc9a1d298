using System.Threading.RateLimiting;

namespace IdentityServer.SignIn;

/// <summary>
/// A password hash costs a tenth of a second of a processor, on purpose. Only so many run at once and only so many wait, so that
/// a flood of sign-ins cannot take the processors from everybody else.
/// </summary>
public sealed class PasswordTurns : IDisposable
{
    // One processor stays free for requests that need no hash, where there is more than one.
    private static readonly int Width = Math.Max(1, Environment.ProcessorCount - 1);

    // Whoever waits is answered within about three seconds; a longer queue would only collect people who gave up.
    private const int WaitingPerProcessor = 24;

    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions
    {
        PermitLimit = Width,
        QueueLimit = Width * WaitingPerProcessor,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    /// <summary>A turn to hash, to be disposed of; not acquired when the queue is full.</summary>
    public ValueTask<RateLimitLease> WaitAsync(CancellationToken ct) => _limiter.AcquireAsync(1, ct);

    public void Dispose() => _limiter.Dispose();
}
