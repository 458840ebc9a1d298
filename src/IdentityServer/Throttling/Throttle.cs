using IdentityServer.Storage.Throttling;

namespace IdentityServer.Throttling;

/// <summary>
/// Bounds how often something can be tried. An attempt is counted before it is looked at and taken back when it succeeds: many at once,
/// also on many nodes, get no more than one after the other would.
/// </summary>
public sealed class Throttle(IAttempts attempts, TimeProvider clock)
{
    // Whoever loses so often against others who count the same is one of a crowd.
    private const int Tries = 20;
    private static readonly TimeSpan Crowded = TimeSpan.FromSeconds(1);

    /// <summary>Counts an attempt on every counter, unless one of them says to wait: then nothing more is counted.</summary>
    public async ValueTask<ThrottleTurn> TakeAsync(IReadOnlyList<Counter> counters, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var seen = await ReadAsync(counters, now, ct);
        if (BlockedUntil(seen.Values, now) is { } until)
        {
            return new ThrottleTurn(this, counters, until);
        }

        for (var i = 0; i < counters.Count; i++)
        {
            if (await CountAsync(counters[i], seen.GetValueOrDefault(counters[i].Key), now, ct) is { } blocked)
            {
                await TakeBackAsync(counters.Take(i), ct);
                return new ThrottleTurn(this, counters, blocked);
            }
        }

        return new ThrottleTurn(this, counters, BlockedUntil: null);
    }

    /// <summary>The counts begin anew: somebody proved who they are by other means.</summary>
    public ValueTask ForgetAsync(IReadOnlyList<string> keys, CancellationToken ct) => attempts.ForgetAsync(keys, ct);

    internal async ValueTask SucceedAsync(IReadOnlyList<Counter> counters, CancellationToken ct)
    {
        await attempts.ForgetAsync([.. counters.Where(counter => counter.IsEndedBySuccess).Select(counter => counter.Key)], ct);
        await TakeBackAsync(counters.Where(counter => !counter.IsEndedBySuccess), ct);
    }

    internal async ValueTask TakeBackAsync(IEnumerable<Counter> counters, CancellationToken ct)
    {
        foreach (var counter in counters)
        {
            await attempts.ReturnAsync(counter.Key, ct);
        }
    }

    private async ValueTask<DateTimeOffset?> CountAsync(Counter counter, Attempts? seen, DateTimeOffset now, CancellationToken ct)
    {
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            if (await attempts.TryReplaceAsync(seen, counter.Rule.Next(counter.Key, seen, now), now, ct))
            {
                return null;
            }

            seen = (await ReadAsync([counter], now, ct)).GetValueOrDefault(counter.Key);
            if (seen?.BlockedUntil > now)
            {
                return seen.BlockedUntil;
            }
        }

        return now + Crowded;
    }

    private async ValueTask<Dictionary<string, Attempts>> ReadAsync(
        IReadOnlyList<Counter> counters, DateTimeOffset now, CancellationToken ct) =>
        (await attempts.ListAsync([.. counters.Select(counter => counter.Key)], now, ct))
            .ToDictionary(each => each.Key, StringComparer.Ordinal);

    private static DateTimeOffset? BlockedUntil(IEnumerable<Attempts> seen, DateTimeOffset now) =>
        seen.Where(each => each.BlockedUntil > now).Max(each => each.BlockedUntil);
}

/// <summary>One attempt.</summary>
/// <param name="Throttle">Who counts.</param>
/// <param name="Counters">What it was counted on.</param>
/// <param name="BlockedUntil">Not before this instant: nothing may be checked now; <see langword="null"/>: go on.</param>
public sealed record ThrottleTurn(Throttle Throttle, IReadOnlyList<Counter> Counters, DateTimeOffset? BlockedUntil)
{
    /// <summary>Nothing was checked, so nothing was learned: this attempt does not count, those before it do.</summary>
    public ValueTask TakeBackAsync(CancellationToken ct) => Throttle.TakeBackAsync(Counters, ct);

    /// <summary>It was right: neither it nor those before it count any longer.</summary>
    public ValueTask SucceedAsync(CancellationToken ct) => Throttle.SucceedAsync(Counters, ct);
}
