using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Issuance;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Jobs;

/// <summary>Keeps this node's memory true: reads the change log twice a second and when the doorbell rings, and writes down what was issued, signed and fetched.</summary>
internal sealed partial class ChangeFeedService(
    ChangeFeed feed,
    INodes nodes,
    IDoorbell doorbell,
    IssuanceLedger ledger,
    KeyUseLedger uses,
    KeyFetchLedger fetches,
    TimeProvider clock,
    ILogger<ChangeFeedService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(400);

    // However often it rings, looking costs what was written in the last ten seconds.
    private static readonly TimeSpan BetweenRings = TimeSpan.FromMilliseconds(50);

    private const int PollsPerFlush = 25;
    private const int PollsPerFetches = 5;

    private readonly string _nodeId = Handle.NewId();
    private readonly DateTimeOffset _startedAt = clock.GetUtcNow();
    private Heard? _said;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Real time, also under a test's clock: this is about how soon, never about what holds when.
        using var timer = new PeriodicTimer(Interval);
        var tick = NextAsync(timer, stoppingToken);
        var ring = doorbell.WaitAsync(stoppingToken);
        for (var poll = 1; ;)
        {
            await Task.WhenAny(tick, ring);
            if (tick.IsCompleted && !await tick)
            {
                break;
            }

            await TryAsync(feed.PollAsync, stoppingToken);
            await TryAsync(ct => SayAsync(isDue: poll % PollsPerFlush == 1, ct), stoppingToken);
            if (ring.IsCompleted)
            {
                await TryAsync(_ => new ValueTask(ring), stoppingToken);
                ring = RungAgainAsync(stoppingToken);
            }

            if (!tick.IsCompleted)
            {
                continue;
            }

            tick = NextAsync(timer, stoppingToken);
            if (poll % PollsPerFetches == 0)
            {
                await TryAsync(fetches.FlushAsync, stoppingToken);
            }

            if (poll % PollsPerFlush == 0)
            {
                await TryAsync(ledger.FlushAsync, stoppingToken);
                await TryAsync(uses.FlushAsync, stoppingToken);
            }

            poll++;
        }

        await TryAsync(ct => nodes.LeaveAsync(_nodeId, ct), CancellationToken.None);

        // A stop in good order loses no count.
        await TryAsync(ledger.FlushAsync, CancellationToken.None);
        await TryAsync(uses.FlushAsync, CancellationToken.None);
        await TryAsync(fetches.FlushAsync, CancellationToken.None);
    }

    private async Task RungAgainAsync(CancellationToken ct)
    {
        await Task.Delay(BetweenRings, ct);
        await doorbell.WaitAsync(ct);
    }

    /// <summary>Tells the other nodes what this one has heard of, when that is more than it said last, and every ten seconds.</summary>
    private async ValueTask SayAsync(bool isDue, CancellationToken ct)
    {
        var heard = feed.Heard;
        if (isDue || (heard != _said && heard.Recent.Count > 0))
        {
            await nodes.SayAsync(_nodeId, heard, _startedAt, clock.GetUtcNow(), ct);
            _said = heard;
        }
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async ValueTask TryAsync(Func<CancellationToken, ValueTask> deed, CancellationToken ct)
    {
        try
        {
            await deed(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopping.
        }
#pragma warning disable CA1031 // the feed must outlive any one failure: readiness tells that it is behind
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogBehind(logger, exception);
        }
    }

    [LoggerMessage(1102, LogLevel.Error, "The change log could not be read or written; this node reports not ready until it can.")]
    private static partial void LogBehind(ILogger logger, Exception exception);
}
