using Microsoft.Extensions.Logging;

namespace IdentityServer.Protocol.Changes;

/// <summary>
/// Reads the change log and tells the caches. Reads overlap by some rows because rows may become visible out of order;
/// listeners are idempotent.
/// </summary>
public sealed partial class ChangeFeed(
    IChangeLog log, IEnumerable<IChangeListener> listeners, TimeProvider clock, ILogger<ChangeFeed> logger)
    : IDisposable
{
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(10);
    private const int LoadOverlap = 200;
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(5);

    // Rows are deleted after a day (ExpiredRows).
    private static readonly TimeSpan Asleep = TimeSpan.FromHours(12);

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly IChangeListener[] _listeners = [.. listeners];
    private readonly Dictionary<long, DateTimeOffset> _seen = [];
    private TaskCompletionSource _read = NotYet();
    private long _floor;
    private DateTimeOffset _lastRead = DateTimeOffset.MinValue;

    /// <summary>What this node has heard of; changes with every poll that met something new.</summary>
    public Heard Heard { get; private set; } = new(0, []);

    /// <summary>True while the log was read within the last 5 s: what memory says can be trusted.</summary>
    public bool IsFresh => clock.GetUtcNow() - _lastRead < StaleAfter;

    /// <summary>Every row up to here was told to the listeners, and none can appear any more.</summary>
    public long Settled => Interlocked.Read(ref _floor);

    /// <summary>Completes when the log has been read the next time, and what was new has been told.</summary>
    public Task NextRead => Volatile.Read(ref _read).Task;

    /// <summary>Loads every cache. Call once, before serving.</summary>
    public async ValueTask LoadAsync(CancellationToken ct)
    {
        // The position is taken first: what is written while the caches load is applied again afterwards.
        // It steps back a little for rows that were numbered before it but are not visible yet.
        var settled = await log.LatestBeforeAsync(clock.GetUtcNow() - Overlap, ct);
        _floor = Math.Max(0, Math.Min(settled, await log.LatestAsync(ct) - LoadOverlap));
        foreach (var listener in _listeners)
        {
            await listener.LoadAsync(ct);
        }

        Heard = new(_floor, []);
        _lastRead = clock.GetUtcNow();
    }

    public void Dispose() => _oneAtATime.Dispose();

    /// <summary>
    /// Makes sure that memory can be trusted: a node that was asleep reads the log before it answers. Throws when it cannot.
    /// </summary>
    public async ValueTask RefreshAsync(CancellationToken ct)
    {
        if (IsFresh)
        {
            return;
        }

        await _oneAtATime.WaitAsync(ct);
        try
        {
            // Of all who wait here after a sleep, one reads.
            if (!IsFresh)
            {
                await ReadAndApplyAsync(ct);
            }
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <summary>Reads what is new and applies it: when it returns, memory knows all that was committed before the call.</summary>
    public async ValueTask PollAsync(CancellationToken ct)
    {
        await _oneAtATime.WaitAsync(ct);
        try
        {
            await ReadAndApplyAsync(ct);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async ValueTask ReadAndApplyAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (now - _lastRead > Asleep)
        {
            // The machine was suspended: what was written meanwhile may be gone from the log.
            await LoadAsync(ct);
        }

        var fresh = new List<Change>();
        var position = _floor;
        while (true)
        {
            var page = await log.ReadAsync(position, ct);
            foreach (var change in page)
            {
                position = change.Sequence;
                if (!_seen.ContainsKey(change.Sequence))
                {
                    fresh.Add(change);
                }
            }

            if (page.Count < 1000)
            {
                break;
            }
        }

        if (fresh.Count > 0)
        {
            foreach (var listener in _listeners)
            {
                await listener.ApplyAsync(fresh, ct);
            }

            // Only now: what a listener could not apply is read again.
            foreach (var change in fresh)
            {
                _seen[change.Sequence] = now;
            }

            LogApplied(logger, fresh.Count, position);
        }

        if (Forget(now) || fresh.Count > 0)
        {
            Heard = new(_floor, [.. _seen.Keys.OrderDescending().Take(Heard.MostRecent)]);
        }

        _lastRead = now;
        Interlocked.Exchange(ref _read, NotYet()).SetResult();
    }

    private static TaskCompletionSource NotYet() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The floor follows ten seconds behind, so that a row which became visible late is still met.
    private bool Forget(DateTimeOffset now)
    {
        var old = _seen.Where(entry => now - entry.Value > Overlap).Select(entry => entry.Key).ToArray();
        foreach (var sequence in old)
        {
            _seen.Remove(sequence);
            _floor = Math.Max(_floor, sequence);
        }

        return old.Length > 0;
    }

    [LoggerMessage(1101, LogLevel.Debug, "Applied {Count} changes up to {Sequence}.")]
    private static partial void LogApplied(ILogger logger, int count, long sequence);
}
