using IdentityServer.ResourceServer.Server;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IdentityServer.ResourceServer.Keys;

/// <summary>Fetches the keys before anybody needs them.</summary>
internal sealed partial class KeyRefresher(
    SigningKeys keys, IdentityServerTokensOptions options, TimeProvider clock, ILogger<KeyRefresher> logger) : BackgroundService
{
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = options.KeyRefresh;
            try
            {
                await keys.RefreshAsync(stoppingToken);
            }
            catch (ServerUnavailableException error)
            {
                LogFailed(logger, error.Message);
                wait = AfterFailure;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(wait, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(11, LogLevel.Warning, "The issuer's keys could not be fetched; the known ones stay in use. {Reason}")]
    private static partial void LogFailed(ILogger logger, string reason);
}
