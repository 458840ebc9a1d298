namespace IdentityServer.Testing;

/// <summary>
/// A clock that stands still until a test moves it. Timers made from it run on real time, so that background work goes
/// on, and fire at once when the clock is moved past their due time.
/// </summary>
public sealed class MutableClock : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly HashSet<MutableTimer> _timers = [];
    private DateTimeOffset _now;

    /// <summary>Starts at the present, in whole seconds: the instants in tokens have no fractions.</summary>
    public MutableClock()
        : this(DateTimeOffset.FromUnixTimeSeconds(System.GetUtcNow().ToUnixTimeSeconds()))
    {
    }

    public MutableClock(DateTimeOffset start) => _now = start;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return _now;
        }
    }

    public void Advance(TimeSpan by) => SetUtcNow(GetUtcNow() + by);

    public void SetUtcNow(DateTimeOffset now)
    {
        MutableTimer[] due;
        lock (_gate)
        {
            _now = now;
            due = [.. _timers.Where(timer => timer.DueAt <= now)];
        }

        foreach (var timer in due)
        {
            timer.FireNow();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new MutableTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    private void Remove(MutableTimer timer)
    {
        lock (_gate)
        {
            _timers.Remove(timer);
        }
    }

    private sealed class MutableTimer : ITimer
    {
        private readonly MutableClock _clock;
        private readonly Timer _real;
        private TimeSpan _period = Timeout.InfiniteTimeSpan;

        public MutableTimer(MutableClock clock, TimerCallback callback, object? state)
        {
            _clock = clock;
            _real = new Timer(fired =>
            {
                DueAt = After(_period);
                callback(fired);
            }, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }

        public DateTimeOffset DueAt { get; private set; } = DateTimeOffset.MaxValue;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            _period = period;
            DueAt = After(dueTime);
            return _real.Change(dueTime, period);
        }

        public void FireNow()
        {
            DueAt = DateTimeOffset.MaxValue;
            _real.Change(TimeSpan.Zero, _period);
        }

        public void Dispose()
        {
            _clock.Remove(this);
            _real.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            _clock.Remove(this);
            return _real.DisposeAsync();
        }

        private DateTimeOffset After(TimeSpan wait) =>
            wait == Timeout.InfiniteTimeSpan || wait > TimeSpan.FromDays(10_000)
                ? DateTimeOffset.MaxValue
                : _clock.GetUtcNow() + wait;
    }
}
