using System.Collections.Concurrent;

namespace IdentityServer.Protocol.Keys;

/// <summary>How many tokens a key signed for a client that end in the same ten minutes.</summary>
/// <param name="Kid">The key.</param>
/// <param name="ClientId">For whom.</param>
/// <param name="Until">When the last of them is over.</param>
/// <param name="Count">How many.</param>
public sealed record KeyUse(string Kid, string ClientId, DateTimeOffset Until, long Count);

/// <summary>Where signatures are counted.</summary>
public interface IKeyUseStore
{
    ValueTask AddAsync(IReadOnlyList<KeyUse> uses, CancellationToken ct);

    /// <summary>What is still alive: the rows whose tokens are not over.</summary>
    ValueTask<IReadOnlyList<KeyUse>> ListAsync(DateTimeOffset now, CancellationToken ct);
}

/// <summary>
/// Counts signatures by key, client and end, and writes the counts down in batches, so that a token costs no round trip. A process that is
/// killed loses the last seconds' counts: they tell how much depends on a key, nothing is decided by them.
/// </summary>
public sealed class KeyUseLedger(IKeyUseStore store)
{
    private const long Grain = TimeSpan.TicksPerMinute * 10;

    private ConcurrentDictionary<(string Kid, string ClientId, long Until), Counter> _counters = new();

    /// <summary>A token was signed.</summary>
    public void Count(string kid, string clientId, DateTimeOffset expiresAt)
    {
        var until = ((expiresAt.UtcTicks / Grain) + 1) * Grain;
        _counters.GetOrAdd((kid, clientId, until), static _ => new Counter()).Increment();
    }

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        if (_counters.IsEmpty)
        {
            return;
        }

        var uses = Interlocked.Exchange(ref _counters, new())
            .Select(entry => new KeyUse(
                entry.Key.Kid, entry.Key.ClientId, new DateTimeOffset(entry.Key.Until, TimeSpan.Zero), entry.Value.Value))
            .ToArray();
        foreach (var ofKey in uses.GroupBy(use => use.Kid, StringComparer.Ordinal))
        {
            KeyMetrics.Signed(ofKey.Key, ofKey.Sum(use => use.Count));
        }

        await store.AddAsync(uses, ct);
    }

    private sealed class Counter
    {
        private long _value;

        public long Value => Volatile.Read(ref _value);

        public void Increment() => Interlocked.Increment(ref _value);
    }
}
