using System.Collections.Frozen;
using System.Text;
using IdentityServer.ResourceServer.Server;
using IdentityServer.ResourceServer.Telemetry;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.ResourceServer.Keys;

/// <summary>
/// The issuer's keys, fetched ahead of time. A token that names an unknown one waits for one fetch before it is refused, so that a
/// rollover without lead fails no request; fetches for unknown keys start at most once a second, however many tokens wait for one.
/// </summary>
internal sealed class SigningKeys(Backchannel server, ResourceServerMetrics metrics, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan BetweenFetches = TimeSpan.FromSeconds(1);
    private const int MaxWaiting = 1000;

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _turn = new(1);
    private FrozenDictionary<string, SecurityKey>? _keys;
    private Task<FrozenDictionary<string, SecurityKey>>? _next;
    private DateTimeOffset _lastStart = DateTimeOffset.MinValue;
    private int _waiting;

    /// <summary>True once there are keys.</summary>
    public bool AreKnown => Volatile.Read(ref _keys) is not null;

    /// <summary>The key, after one fetch if it is not known; <see langword="null"/> when the issuer has no such key.</summary>
    /// <exception cref="ServerUnavailableException">The key is unknown, and the server cannot be asked.</exception>
    public async ValueTask<SecurityKey?> FindAsync(string kid, CancellationToken ct)
    {
        if (Volatile.Read(ref _keys) is { } known && known.TryGetValue(kid, out var key))
        {
            return key;
        }

        if (Interlocked.Increment(ref _waiting) > MaxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new ServerUnavailableException("Too many tokens wait for a key.");
        }

        try
        {
            return (await NextFetchAsync(AreKnown ? "unknown_kid" : "first").WaitAsync(ct)).GetValueOrDefault(kid);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Fetches them anew.</summary>
    /// <exception cref="ServerUnavailableException">They could not be fetched; the old ones stay.</exception>
    public Task RefreshAsync(CancellationToken ct) => NextFetchAsync("ahead").WaitAsync(ct);

    public void Dispose() => _turn.Dispose();

    /// <summary>The next fetch that has not begun: only that one is sure to see a key that exists now.</summary>
    private Task<FrozenDictionary<string, SecurityKey>> NextFetchAsync(string trigger)
    {
        lock (_gate)
        {
            return _next ??= FetchInTurnAsync(trigger);
        }
    }

    private async Task<FrozenDictionary<string, SecurityKey>> FetchInTurnAsync(string trigger)
    {
        // Never inside the caller's lock.
        await Task.Yield();
        await _turn.WaitAsync();
        try
        {
            var wait = _lastStart + BetweenFetches - clock.GetUtcNow();
            if (wait > TimeSpan.Zero)
            {
                // Not longer, should the clock have been set back.
                await Task.Delay(wait < BetweenFetches ? wait : BetweenFetches, clock);
            }

            lock (_gate)
            {
                _next = null;
            }

            _lastStart = clock.GetUtcNow();
            var keys = Read(await server.FetchKeysAsync(CancellationToken.None));
            Volatile.Write(ref _keys, keys);
            metrics.KeysFetched(trigger, succeeded: true);
            return keys;
        }
        catch (ServerUnavailableException)
        {
            metrics.KeysFetched(trigger, succeeded: false);
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    private static FrozenDictionary<string, SecurityKey> Read(byte[] jwks)
    {
        try
        {
            return new JsonWebKeySet(Encoding.UTF8.GetString(jwks)).Keys
                .Where(key => key is { Kid.Length: > 0, Kty: "EC" or "RSA", Use: null or "" or "sig" })
                .DistinctBy(key => key.Kid, StringComparer.Ordinal)
                .ToFrozenDictionary(key => key.Kid, SecurityKey (key) => key, StringComparer.Ordinal);
        }
        catch (ArgumentException error)
        {
            throw new ServerUnavailableException("The server's keys cannot be read.", error);
        }
    }
}
