using System.Collections.Concurrent;
using System.Globalization;
using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Issuance;

/// <summary>
/// Counts what was issued, by client and grant type, and audits the counts in batches: issuing a token that changes no
/// state must not cost a database round trip (docs/adr/0007).
/// </summary>
public sealed class IssuanceLedger(IAuditLog audit, TimeProvider clock)
{
    private ConcurrentDictionary<(string ClientId, string GrantType), Counter> _counters = new();
    private DateTimeOffset _since = clock.GetUtcNow();

    public void Count(string clientId, string grantType) =>
        _counters.GetOrAdd((clientId, grantType), static _ => new Counter()).Increment();

    /// <summary>Writes one event for each client and grant type used since the last time.</summary>
    public async ValueTask FlushAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var counted = Interlocked.Exchange(ref _counters, new());
        var since = _since;
        _since = now;
        if (counted.IsEmpty)
        {
            return;
        }

        await audit.WriteAsync(
            [
                .. counted.Select(entry => new AuditEvent(AuditTypes.TokensIssued, now)
                {
                    Actor = "client:" + entry.Key.ClientId,
                    ClientId = entry.Key.ClientId,
                    Detail = string.Create(
                        CultureInfo.InvariantCulture, $"{entry.Value.Value} by {entry.Key.GrantType} since {since:O}"),
                }),
            ],
            ct);
    }

    private sealed class Counter
    {
        private long _value;

        public long Value => Volatile.Read(ref _value);

        public void Increment() => Interlocked.Increment(ref _value);
    }
}
