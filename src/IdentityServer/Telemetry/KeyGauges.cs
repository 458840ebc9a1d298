using System.Diagnostics.Metrics;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Telemetry;

/// <summary>What monitoring sees of the signing keys; costs nothing while nobody looks.</summary>
internal sealed class KeyGauges : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    private readonly Meter _meter = new("IdentityServer");
    private readonly SigningKeyRing _ring;
    private readonly KeyPolicy _policy;
    private readonly KeyReadiness _readiness;
    private readonly TimeProvider _clock;
    private Measurement<int>[] _ready = [];
    private DateTimeOffset _readAt = DateTimeOffset.MinValue;
    private int _reading;

    public KeyGauges(SigningKeyRing ring, KeyPolicy policy, KeyReadiness readiness, TimeProvider clock)
    {
        (_ring, _policy, _readiness, _clock) = (ring, policy, readiness, clock);
        _meter.CreateObservableGauge(
            "identity_signing_key_age_seconds", Ages, "s", "Age of the newest key of an algorithm in a state.");
        _meter.CreateObservableGauge(
            "identity_signing_key_next_activation_seconds", Activations, "s", "Until the announced key of an algorithm signs.");
        _meter.CreateObservableGauge(
            "identity_key_readiness", Readiness, "{client}", "Clients that have the announced key, do not yet, or are unknown.");
    }

    public void Dispose() => _meter.Dispose();

    private IEnumerable<Measurement<double>> Ages()
    {
        var now = _clock.GetUtcNow();
        return KeyEntry.List(_ring.Rows, _policy, now)
            .GroupBy(entry => (entry.Key.Algorithm, entry.State))
            .Select(group => new Measurement<double>(
                (now - group.Max(entry => entry.Key.CreatedAt)).TotalSeconds,
                Tag("alg", group.Key.Algorithm),
                Tag("state", group.Key.State.ToString().ToLowerInvariant())));
    }

    private IEnumerable<Measurement<double>> Activations()
    {
        var now = _clock.GetUtcNow();
        return Pending(now).Select(pending => new Measurement<double>((pending.At - now).TotalSeconds, Tag("alg", pending.Algorithm)));
    }

    // The listener does not wait for the database: it gets what was read last, and the next one what is read now.
    private Measurement<int>[] Readiness()
    {
        if (_clock.GetUtcNow() - _readAt > Fresh && Interlocked.Exchange(ref _reading, 1) == 0)
        {
            _ = Task.Run(ReadAsync);
        }

        return _ready;
    }

    private async Task ReadAsync()
    {
        try
        {
            var now = _clock.GetUtcNow();
            var ready = new List<Measurement<int>>();
            foreach (var pending in Pending(now))
            {
                ready.AddRange((await _readiness.OfAsync(pending.Kid, CancellationToken.None))
                    .GroupBy(client => client.State)
                    .Select(group => new Measurement<int>(
                        group.Count(), Tag("alg", pending.Algorithm), Tag("state", group.Key.ToString().ToLowerInvariant()))));
            }

            (_ready, _readAt) = ([.. ready], now);
        }
        catch (System.Data.Common.DbException)
        {
            // The last figures stand; readiness of the node tells of the database.
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    private IEnumerable<KeyActivation> Pending(DateTimeOffset now) => _ring.Rows.Plans
        .Select(plan => _ring.Rows.TimelineOf(plan.Algorithm, _policy).PendingAt(now))
        .OfType<KeyActivation>();

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
