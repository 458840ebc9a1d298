using System.Collections.Concurrent;
using System.Security.Cryptography;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Storage.Logout;
using IdentityServer.Telemetry;

namespace IdentityServer.Logout;

/// <summary>
/// Tells clients that sessions have ended: makes the notices of each ending, and delivers them. Each at least once, always with the same
/// <c>jti</c>: a server that dies between the client's word and its own note of it delivers the notice again. Of several nodes each notice
/// is one node's at a time. Each client has a lane of its own, so one that does not answer holds up nobody else.
/// </summary>
internal sealed partial class LogoutCourier(
    ILogoutNotices notices,
    LogoutDelivery delivery,
    ClientDirectory clients,
    LogoutBell bell,
    LogoutWatch watch,
    TimeProvider clock,
    IHostApplicationLifetime lifetime,
    ILogger<LogoutCourier> logger) : BackgroundService
{
    /// <summary>How long a client is tried.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromHours(24);

    /// <summary>How often it looks for what other nodes left, and for what is to be tried again.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>Longer than any attempt lasts: then the node that claimed the notice has died.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    private const int EndingsAtOnce = 20;
    private const int PageSize = 40;
    private const int AtOnceForOne = 4;
    private const int AtOnceForAll = 32;
    private const int MostGivenUp = 1000;

    private readonly ConcurrentDictionary<string, LogoutCircuit> _circuits = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Task> _lanes = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _turns = new(AtOnceForAll);
    private Task _queueing = Task.CompletedTask;

    public override void Dispose()
    {
        _turns.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            // Not on the way to the first token.
            await StartedAsync(stoppingToken);
            while (true)
            {
                await TryAsync(LookAsync, stoppingToken);
                await bell.WaitAsync(Look, clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping: what is on its way is broken off, and noted as to be tried at once.
            await Task.WhenAll(_lanes.Values.Append(_queueing));
        }
    }

    /// <summary>The pause after so many attempts: a second, doubled each time up to an hour, give or take a tenth.</summary>
    internal static TimeSpan PauseAfter(int attempts)
    {
        var pause = TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Clamp(attempts - 1, 0, 20), LongestPause.Ticks));
        return pause * (0.9 + (RandomNumberGenerator.GetInt32(2001) / 10_000.0));
    }

    private async Task StartedAsync(CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
    }

    private async ValueTask LookAsync(CancellationToken ct)
    {
        // Beside the deliveries: the end of everything is many notices.
        if (_queueing.IsCompleted && await notices.UntoldAsync(EndingsAtOnce, ct) is { Count: > 0 } untold)
        {
            _queueing = Task.Run(() => TryAsync(ct => QueueAsync(untold, ct), ct), CancellationToken.None);
        }

        foreach (var idle in _lanes.Where(lane => lane.Value.IsCompleted).Select(lane => lane.Key).ToArray())
        {
            _lanes.Remove(idle);
        }

        foreach (var clientId in await notices.DueClientsAsync(clock.GetUtcNow(), ct))
        {
            if (!_lanes.ContainsKey(clientId))
            {
                _lanes[clientId] = Task.Run(() => TryAsync(ct => CarryAsync(clientId, ct), ct), CancellationToken.None);
            }
        }

        await watch.LookAsync(ct);
    }

    private async ValueTask QueueAsync(IReadOnlyList<string> untold, CancellationToken ct)
    {
        foreach (var receiptId in untold)
        {
            if (await notices.QueueAsync(receiptId, clock.GetUtcNow(), ct) > 0)
            {
                bell.Ring();
            }
        }

        if (untold.Count == EndingsAtOnce)
        {
            bell.Ring();
        }
    }

    /// <summary>Delivers what is due for one client, until nothing is or it does not answer.</summary>
    private async ValueTask CarryAsync(string clientId, CancellationToken ct)
    {
        while (true)
        {
            var circuit = _circuits.GetOrAdd(clientId, _ => new LogoutCircuit());
            var now = clock.GetUtcNow();
            if (circuit.OpenUntil(now) is { } until)
            {
                await notices.PostponeAsync(clientId, now, until, ct);
                return;
            }

            // One that failed is asked by one notice at a time.
            var due = await notices.DueAsync(clientId, now, circuit.IsWell ? PageSize : 1, ct);
            if (due.Count == 0)
            {
                if (circuit.IsWell)
                {
                    _circuits.TryRemove(clientId, out _);
                }

                return;
            }

            await Parallel.ForEachAsync(
                due,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnceForOne, CancellationToken = ct },
                (notice, ct) => DeliverAsync(notice, circuit, ct));
            if (circuit.OpenUntil(clock.GetUtcNow()) is not null)
            {
                await GiveUpOldAsync(clientId, ct);
            }
        }
    }

    private async ValueTask DeliverAsync(LogoutNotice due, LogoutCircuit circuit, CancellationToken ct)
    {
        await _turns.WaitAsync(ct);
        try
        {
            // 1 nobody else tells it meanwhile, and it still answers
            var now = clock.GetUtcNow();
            if (circuit.OpenUntil(now) is not null || await notices.ClaimAsync(due, now + Lease, ct) is not { } notice)
            {
                return;
            }

            // 2 tell it, and note how it went
            var (fault, wasStopped) = await SendAsync(notice, ct);
            now = clock.GetUtcNow();
            if (fault is null)
            {
                circuit.Succeeded();
                await notices.RecordDeliveredAsync(notice, now, CancellationToken.None);
                Metrics.LogoutNotices.Add(1, new KeyValuePair<string, object?>("result", "delivered"));
                Metrics.LogoutDelay.Record(Math.Max(0, (now - notice.CreatedAt).TotalSeconds));
                return;
            }

            if (wasStopped)
            {
                await notices.RecordFailureAsync(notice, fault, now, CancellationToken.None);
                return;
            }

            if (fault != LogoutDelivery.NotRegistered)
            {
                circuit.Failed(now);
            }

            var next = now + PauseAfter(notice.Attempts);
            if (next >= notice.CreatedAt + Patience || fault == LogoutDelivery.NotRegistered)
            {
                await GiveUpAsync(notice, fault, now);
                return;
            }

            await notices.RecordFailureAsync(notice, fault, next, CancellationToken.None);
            Metrics.LogoutNotices.Add(1, new KeyValuePair<string, object?>("result", "failed"));
            LogFailed(logger, notice.ClientId, notice.Id, notice.Attempts, fault);
        }
        finally
        {
            _turns.Release();
        }
    }

    private async ValueTask<(string? Fault, bool WasStopped)> SendAsync(LogoutNotice notice, CancellationToken ct)
    {
        try
        {
            return (await delivery.SendAsync(notice, await clients.FindAsync(notice.ClientId, ct), ct), false);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return ("stopped", true);
        }
    }

    // A client that has not answered for a day is not asked for each notice by itself.
    private async ValueTask GiveUpOldAsync(string clientId, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        foreach (var old in (await notices.DueAsync(clientId, now, MostGivenUp, ct)).Where(notice => notice.CreatedAt + Patience <= now))
        {
            await GiveUpAsync(old, old.Error ?? "not_answering", now);
        }
    }

    private async ValueTask GiveUpAsync(LogoutNotice notice, string fault, DateTimeOffset now)
    {
        var audit = new AuditEvent(AuditTypes.LogoutGivenUp, now)
        {
            ClientId = notice.ClientId,
            Subject = notice.Subject,
            SessionId = notice.SessionId,
            Outcome = "undeliverable",
            Detail = fault,
        };
        if (await notices.GiveUpAsync(notice, fault, now, audit, CancellationToken.None))
        {
            Metrics.LogoutNotices.Add(1, new KeyValuePair<string, object?>("result", "dead"));
            LogGivenUp(logger, notice.ClientId, notice.Id, notice.Attempts, fault);
            watch.Forget();
            bell.Ring();
        }
    }

    private async Task TryAsync(Func<CancellationToken, ValueTask> deed, CancellationToken ct)
    {
        try
        {
            await deed(ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Stopping.
        }
#pragma warning disable CA1031 // the database was away, perhaps: it is tried again
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogBehind(logger, error);
        }
    }

    [LoggerMessage(1501, LogLevel.Warning, "Client {ClientId} was not told that a session ended: notice {Notice} was given up after {Attempts} attempt(s): {Fault}")]
    private static partial void LogGivenUp(ILogger logger, string clientId, string notice, int attempts, string fault);

    [LoggerMessage(1502, LogLevel.Warning, "Client {ClientId} did not take the logout notice {Notice}, attempt {Attempts}; it is tried again: {Fault}")]
    private static partial void LogFailed(ILogger logger, string clientId, string notice, int attempts, string fault);

    [LoggerMessage(1503, LogLevel.Error, "The logout notices could not be read or written; it is tried again.")]
    private static partial void LogBehind(ILogger logger, Exception error);
}
