using System.Net.ServerSentEvents;
using System.Security.Cryptography;
using System.Text.Json;
using IdentityServer.ResourceServer.Server;
using IdentityServer.ResourceServer.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IdentityServer.ResourceServer.Revocations;

/// <summary>Follows the revocation feed: a snapshot, then the stream, and whenever that ends, the stream again from where it stopped.</summary>
internal sealed partial class FeedFollower(
    Backchannel server,
    EndedTokens ended,
    FeedState state,
    ResourceServerMetrics metrics,
    IdentityServerTokensOptions options,
    TimeProvider clock,
    ILogger<FeedFollower> logger)
    : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    private readonly TaskCompletionSource _followed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? _cursor;
    private int _failures;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        if (options.FollowRevocations)
        {
            // The first requests shall find the feed followed. A server that is away does not keep the application from starting.
            await Task.WhenAny(_followed.Task, Task.Delay(options.StartupWait, clock, cancellationToken));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.FollowRevocations)
        {
            LogNotFollowed(logger);
            return;
        }

        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowOnceAsync(stoppingToken);
            }
            catch (Exception error) when (IsExpected(error))
            {
                if (stoppingToken.IsCancellationRequested)
                {
                    return;
                }

                LogLost(logger, error.Message);
            }

            await Task.Delay(Pause(_failures++), clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static bool IsExpected(Exception error) =>
        error is ServerUnavailableException or HttpRequestException or IOException or JsonException or OperationCanceledException;

    /// <summary>Twice as long each time, with chance in it: a thousand APIs shall not come back in the same instant.</summary>
    private static TimeSpan Pause(int failures) =>
        TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, FirstPause.Ticks << Math.Min(failures, 10))) * (RandomNumberGenerator.GetInt32(50, 101) / 100.0);

    private async Task FollowOnceAsync(CancellationToken stoppingToken)
    {
        // A connection that died without a word is left like any other.
        using var silence = new CancellationTokenSource(options.FeedSilence, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, silence.Token);
        if (_cursor is null)
        {
            using var snapshot = await server.OpenFeedAsync(null, end.Token);
            _cursor = await SnapshotReader.ReadAsync(
                await snapshot.Content.ReadAsStreamAsync(end.Token),
                revocation =>
                {
                    silence.CancelAfter(options.FeedSilence);
                    Add(revocation);
                },
                end.Token);
        }

        using var response = await server.OpenFeedAsync(_cursor, end.Token);
        state.Connected();
        var parser = SseParser.Create(await response.Content.ReadAsStreamAsync(end.Token));
        await foreach (var item in parser.EnumerateAsync(end.Token))
        {
            silence.CancelAfter(options.FeedSilence);
            if (!Take(item))
            {
                return;
            }

            if (parser.LastEventId.Length > 0)
            {
                _cursor = parser.LastEventId;
            }
        }
    }

    /// <summary>False when the stream is of no use any more.</summary>
    private bool Take(SseItem<string> item)
    {
        switch (item.EventType)
        {
            case "revocation":
                var revocation = Read(item.Data, FeedJson.Default.FeedRevocation);
                Add(revocation);
                metrics.Told(clock.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(revocation.At));
                return true;
            case "heartbeat":
                state.Heard(Read(item.Data, FeedJson.Default.FeedHeartbeat).At);
                if (!state.IsFresh)
                {
                    // A clock was set, here or there: on a new connection they are compared anew.
                    return false;
                }

                _failures = 0;
                _followed.TrySetResult();
                return true;
            case "resync":
                LogResync(logger);
                _cursor = null;
                return false;
            default:
                return true;
        }
    }

    private static T Read<T>(string data, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(data, type) ?? throw new JsonException("An event has no data.");

    private void Add(FeedRevocation revocation)
    {
        if (!ended.Add(revocation) && !state.IsIncomplete)
        {
            state.IsIncomplete = true;
            LogUnknown(logger, revocation.Kind);
        }
    }

    [LoggerMessage(21, LogLevel.Warning, "The revocation feed is lost and will be asked again. {Reason}")]
    private static partial void LogLost(ILogger logger, string reason);

    [LoggerMessage(22, LogLevel.Information, "The revocation feed starts over from a snapshot.")]
    private static partial void LogResync(ILogger logger);

    [LoggerMessage(23, LogLevel.Error, "The revocation feed tells of the kind {Kind}, which this version does not know: tokens that ended that way are accepted. Update IdentityServer.ResourceServer.")]
    private static partial void LogUnknown(ILogger logger, string kind);

    [LoggerMessage(24, LogLevel.Warning, "Revocations are not followed: a self-contained token that was revoked is accepted until it expires.")]
    private static partial void LogNotFollowed(ILogger logger);
}
