using System.Threading.RateLimiting;
using IdentityServer.Configuration;

namespace IdentityServer.SignIn;

/// <summary>
/// A password hash costs a tenth of a second of a processor, on purpose. Only so many run at once and only so many wait, so that
/// a flood of sign-ins cannot take the processors from everybody else. Browsers in which the person signed in before have a lane of
/// their own, which no flood of strangers can fill.
/// </summary>
public sealed class PasswordTurns(SignInSettings settings) : IDisposable
{
    // Whoever waits is answered within about three seconds; a longer queue would only collect people who gave up.
    private const int WaitingPerTurn = 24;

    private readonly ConcurrencyLimiter _strangers = Lane(settings.HashingWidth);
    private readonly ConcurrencyLimiter _known = Lane(settings.HashingWidth);

    /// <summary>A turn to hash, to be disposed of; not acquired when the queue is full.</summary>
    /// <param name="isKnown">The person signed in with this browser before.</param>
    /// <param name="ct">Stops waiting.</param>
    public ValueTask<RateLimitLease> WaitAsync(bool isKnown, CancellationToken ct) => (isKnown ? _known : _strangers).AcquireAsync(1, ct);

    public void Dispose()
    {
        _strangers.Dispose();
        _known.Dispose();
    }

    private static ConcurrencyLimiter Lane(int width) => new(new ConcurrencyLimiterOptions
    {
        PermitLimit = width,
        QueueLimit = width * WaitingPerTurn,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });
}
