using System.Security.Cryptography;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Mail;
using IdentityServer.Telemetry;

namespace IdentityServer.Mail;

/// <summary>
/// Sends what the outbox holds. Each mail at least once: a server that dies between the mail server's word and its own note of it sends
/// the mail again, with the same Message-ID. Of several nodes each mail is one node's at a time.
/// </summary>
internal sealed partial class MailCourier(
    IOutbox outbox,
    MailSeal seal,
    MailRoute route,
    MailBell bell,
    ProtocolOptions options,
    TimeProvider clock,
    IHostApplicationLifetime lifetime,
    ILogger<MailCourier> logger) : BackgroundService
{
    /// <summary>How often it looks for what other nodes stored, and for what is to be tried again.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);

    /// <summary>Longer than any attempt lasts: then the node that claimed the mail has died.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);

    // A stop waits this long for a mail server's word.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(3);

    // One mail server that is slow to answer for one address does not hold up all the others.
    private const int AtOnce = 4;
    private const int Largest = 40;

    private readonly string _domain = new Uri(options.Issuer).Host;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!route.IsOn)
        {
            return;
        }

        try
        {
            // Not on the way to the first token.
            await StartedAsync(stoppingToken);
            while (true)
            {
                if (!await TryDeliverAsync(stoppingToken))
                {
                    await bell.WaitAsync(Look, clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    /// <summary>The pause after so many attempts: a minute, doubled each time, never longer than the kind allows, give or take a tenth.</summary>
    internal static TimeSpan PauseAfter(int attempts, TimeSpan longest)
    {
        var pause = TimeSpan.FromTicks(Math.Min(FirstPause.Ticks << Math.Clamp(attempts - 1, 0, 20), longest.Ticks));
        return pause * (0.9 + (RandomNumberGenerator.GetInt32(2001) / 10_000.0));
    }

    private async Task StartedAsync(CancellationToken ct)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(ct);
    }

    /// <summary>True when there was something to do, and so perhaps more.</summary>
    private async Task<bool> TryDeliverAsync(CancellationToken ct)
    {
        try
        {
            var due = await outbox.DueAsync(clock.GetUtcNow(), Largest, ct);
            await Parallel.ForEachAsync(
                due, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, DeliverAsync);
            return due.Count > 0;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // the database was away, perhaps: it is tried again
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogBehind(logger, error);
            return false;
        }
    }

    private async ValueTask DeliverAsync(OutboxMail due, CancellationToken ct)
    {
        // 1 nobody else sends it meanwhile
        if (await outbox.ClaimAsync(due, clock.GetUtcNow() + Lease, ct) is not { } mail)
        {
            return;
        }

        // 2 a link that works no more helps nobody
        var kind = MailKind.Named(mail.Kind);
        var end = mail.CreatedAt + (kind?.Patience ?? MailKind.PasswordChanged.Patience);
        if (kind is { IsAskedFor: true } && clock.GetUtcNow() >= end)
        {
            await GiveUpAsync(mail, kind, "Its link expired before it could be sent.", ct);
            return;
        }

        // 3 send it, and note how it went; a stop waits a little
        var (fault, wasStopped) = await SendAsync(mail, ct);
        var now = clock.GetUtcNow();
        var next = now + (wasStopped ? TimeSpan.Zero : PauseAfter(mail.Attempts, kind?.LongestPause ?? MailKind.PasswordChanged.LongestPause));
        if (fault is null)
        {
            await outbox.RecordSentAsync(mail, now, CancellationToken.None);
            Metrics.Mail.Add(1, new("kind", mail.Kind), new("result", "sent"));
        }
        else if (next < end)
        {
            await outbox.RecordFailureAsync(mail, fault, next, CancellationToken.None);
            Metrics.Mail.Add(1, new("kind", mail.Kind), new("result", "failed"));
            LogFailed(logger, mail.Id, mail.Kind, mail.Attempts, fault);
        }
        else
        {
            await GiveUpAsync(mail, kind, fault, CancellationToken.None);
        }
    }

    private async ValueTask<(string? Fault, bool WasStopped)> SendAsync(OutboxMail mail, CancellationToken ct)
    {
        if (!seal.TryOpen(mail.Id, mail.Sealed, out var letter))
        {
            return ("What it says cannot be opened: the keys that sealed it are not in the database.", false);
        }

        using var patience = new CancellationTokenSource();
        await using var stop = ct.Register(() => patience.CancelAfter(Farewell));
        try
        {
            var envelope = new Envelope(mail.Id, $"{mail.Id}@{_domain}", mail.CreatedAt, letter);
            return (await route.Transport!.SendAsync(envelope, patience.Token), false);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return ("The node was stopped.", true);
        }
#pragma warning disable CA1031 // one mail that cannot be sent must not keep the others from it
        catch (Exception error)
#pragma warning restore CA1031
        {
            return (SmtpTransport.Describe(error), false);
        }
    }

    // What somebody asked for cannot be sent later: its link is dead. A notice can.
    private async ValueTask GiveUpAsync(OutboxMail mail, MailKind? kind, string fault, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var audit = new AuditEvent(AuditTypes.MailGivenUp, now)
        {
            Subject = mail.Subject,
            Outcome = "undeliverable",
            Detail = mail.Kind,
        };
        if (await outbox.GiveUpAsync(mail, fault, keepContent: kind is not { IsAskedFor: true }, now, audit, ct))
        {
            Metrics.Mail.Add(1, new("kind", mail.Kind), new("result", "dead"));
            LogGivenUp(logger, mail.Id, mail.Kind, mail.Attempts, fault);
        }
    }

    [LoggerMessage(1401, LogLevel.Warning, "The mail {Mail} ({Kind}) was given up after {Attempts} attempt(s): {Fault}")]
    private static partial void LogGivenUp(ILogger logger, string mail, string kind, int attempts, string fault);

    [LoggerMessage(1402, LogLevel.Warning, "The mail {Mail} ({Kind}) was not sent, attempt {Attempts}; it is tried again. {Fault}")]
    private static partial void LogFailed(ILogger logger, string mail, string kind, int attempts, string fault);

    [LoggerMessage(1403, LogLevel.Error, "The mail outbox could not be read or written; it is tried again.")]
    private static partial void LogBehind(ILogger logger, Exception error);
}
