using System.Diagnostics.Metrics;
using IdentityServer.Storage.Mail;

namespace IdentityServer.Telemetry;

/// <summary>What monitoring sees of the mail outbox; costs nothing while nobody looks.</summary>
internal sealed class MailGauges : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);

    private readonly Meter _meter = new("IdentityServer");
    private readonly IOutbox _outbox;
    private readonly TimeProvider _clock;
    private Measurement<long>[] _backlog = [];
    private DateTimeOffset _readAt = DateTimeOffset.MinValue;
    private int _reading;

    public MailGauges(IOutbox outbox, TimeProvider clock)
    {
        (_outbox, _clock) = (outbox, clock);
        _meter.CreateObservableGauge(
            "identity_outbox_backlog", Backlog, "{mail}", "Mails that wait to be sent, and mails that were given up.");
    }

    public void Dispose() => _meter.Dispose();

    // The listener does not wait for the database: it gets what was read last, and the next one what is read now.
    private Measurement<long>[] Backlog()
    {
        if (_clock.GetUtcNow() - _readAt > Fresh && Interlocked.Exchange(ref _reading, 1) == 0)
        {
            _ = Task.Run(ReadAsync);
        }

        return _backlog;
    }

    private async Task ReadAsync()
    {
        try
        {
            var now = _clock.GetUtcNow();
            var counts = await _outbox.CountAsync(now, CancellationToken.None);
            _backlog =
            [
                new(counts.Waiting, new KeyValuePair<string, object?>("state", "waiting")),
                new(counts.Dead, new KeyValuePair<string, object?>("state", "dead")),
            ];
            _readAt = now;
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
}
