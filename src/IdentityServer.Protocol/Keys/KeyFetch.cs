using System.Collections.Concurrent;

namespace IdentityServer.Protocol.Keys;

/// <summary>A client fetched a key at its own JWKS address: evidence that it has it, not proof.</summary>
/// <param name="ClientId">Who asked, by the address.</param>
/// <param name="Kid">A key that was in the answer.</param>
/// <param name="FirstAt">The first time.</param>
/// <param name="LastAt">The last time.</param>
/// <param name="Count">How often.</param>
public sealed record KeyFetch(string ClientId, string Kid, DateTimeOffset FirstAt, DateTimeOffset LastAt, long Count);

/// <summary>Where fetches are kept.</summary>
public interface IKeyFetchStore
{
    /// <summary>Adds to what is known of each client and key.</summary>
    ValueTask AddAsync(IReadOnlyList<KeyFetch> fetches, CancellationToken ct);

    ValueTask<IReadOnlyList<KeyFetch>> ListAsync(CancellationToken ct);
}

/// <summary>Notes who fetched what, and writes it down in batches: a fetch of the JWKS costs no round trip.</summary>
public sealed class KeyFetchLedger(IKeyFetchStore store, TimeProvider clock)
{
    private ConcurrentDictionary<(string ClientId, string Kid), KeyFetch> _noted = new();

    /// <summary>The client was answered with these keys, or told that the ones it has are still right.</summary>
    public void Note(string clientId, IEnumerable<string> kids)
    {
        var now = clock.GetUtcNow();
        foreach (var kid in kids)
        {
            _noted.AddOrUpdate(
                (clientId, kid),
                static (key, now) => new KeyFetch(key.ClientId, key.Kid, now, now, 1),
                static (_, known, now) => known with { LastAt = now, Count = known.Count + 1 },
                now);
        }
    }

    public async ValueTask FlushAsync(CancellationToken ct)
    {
        if (_noted.IsEmpty)
        {
            return;
        }

        var noted = Interlocked.Exchange(ref _noted, new());
        try
        {
            await store.AddAsync([.. noted.Values], ct);
        }
        catch
        {
            // A rollover may wait for this, and the client may not come again for a day: the next time writes it.
            foreach (var (key, fetch) in noted)
            {
                _noted.AddOrUpdate(key, fetch, (_, newer) => newer with { FirstAt = fetch.FirstAt, Count = newer.Count + fetch.Count });
            }

            throw;
        }
    }
}
