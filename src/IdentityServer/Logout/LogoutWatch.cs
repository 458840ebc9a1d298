using System.Diagnostics.Metrics;
using System.Globalization;
using IdentityServer.Storage.Logout;

namespace IdentityServer.Logout;

/// <summary>How telling clients stands, as monitoring and the readiness document see it; the courier looks for them.</summary>
internal sealed class LogoutWatch : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LastDay = TimeSpan.FromDays(1);

    private readonly Meter _meter = new("IdentityServer");
    private readonly ILogoutNotices _notices;
    private readonly TimeProvider _clock;
    private volatile Seen? _seen;

    public LogoutWatch(ILogoutNotices notices, TimeProvider clock)
    {
        (_notices, _clock) = (notices, clock);
        _meter.CreateObservableGauge(
            "identity_logout_backlog", Backlog, "{notice}", "Notices to clients that wait, or were given up; endings whose notices were not made yet.");
        _meter.CreateObservableGauge("identity_logout_oldest_seconds", Oldest, "s", "Age of the oldest notice that waits.");
    }

    /// <summary>For the readiness document: <c>ok</c>, or how many clients were not told in the last day.</summary>
    public string Status => _seen is { Counts.DeadLately: > 0 and var dead }
        ? string.Create(CultureInfo.InvariantCulture, $"{dead} given up: identityserver logout status")
        : "ok";

    /// <summary>Counts again, when the last count is old or no longer right.</summary>
    public async ValueTask LookAsync(CancellationToken ct)
    {
        var now = _clock.GetUtcNow();
        if (_seen is not { } seen || now - seen.At >= Fresh || now < seen.At)
        {
            _seen = new(await _notices.CountAsync(now - LastDay, ct), now);
        }
    }

    /// <summary>Something changed that nobody should wait for.</summary>
    public void Forget() => _seen = _seen is { } seen ? seen with { At = DateTimeOffset.MinValue } : null;

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<long>> Backlog() => _seen is not { Counts: var counts }
        ? []
        :
        [
            new(counts.Untold, new KeyValuePair<string, object?>("state", "untold")),
            new(counts.Waiting, new KeyValuePair<string, object?>("state", "waiting")),
            new(counts.Dead, new KeyValuePair<string, object?>("state", "dead")),
        ];

    private IEnumerable<Measurement<double>> Oldest() => _seen is not { Counts: var counts }
        ? []
        : [new(counts.OldestAt is { } oldest ? Math.Max(0, (_clock.GetUtcNow() - oldest).TotalSeconds) : 0)];

    private sealed record Seen(LogoutCounts Counts, DateTimeOffset At);
}
