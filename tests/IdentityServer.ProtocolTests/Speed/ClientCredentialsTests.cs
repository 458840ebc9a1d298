using System.Diagnostics;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IdentityServer.ProtocolTests.Speed;

/// <summary>A service that fetches tokens costs the database nothing.</summary>
public sealed class ClientCredentialsTests(PostgresAppServer apps) : IClassFixture<PostgresAppServer>
{
    private const int Requests = 200;

    [Fact]
    public async Task Client_credentials_asks_the_database_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        await apps.Service.ClientCredentialsAsync("api:read", ct);

        // Without the background work every command there is comes from our requests.
        foreach (var service in apps.Server.Services.GetServices<IHostedService>().OfType<BackgroundService>())
        {
            await service.StopAsync(ct);
        }

        using var commands = new CommandCounter();
        await FetchAsync(ct);
        var counted = commands.Count;

        // The counter does count: introspection of a refresh token that nobody knows looks it up.
        await apps.App.IntrospectAsync("no-such-token", ct);
        Assert.Equal(0, counted);
        Assert.True(commands.Count > 0);

        // And nothing went past the counter: it works without a database at all.
        await apps.DropDatabaseAsync(ct);
        await FetchAsync(ct);
    }

    private async Task FetchAsync(CancellationToken ct)
    {
        for (var request = 0; request < Requests; request++)
        {
            Check.Tokens(await apps.Service.ClientCredentialsAsync("api:read", ct));
        }
    }

    /// <summary>Counts the commands that Entity Framework sends to PostgreSQL in this process.</summary>
    private sealed class CommandCounter : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>, IDisposable
    {
        private readonly List<IDisposable> _subscriptions = [];
        private int _count;

        public CommandCounter() => _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));

        public int Count => Volatile.Read(ref _count);

        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.EntityFrameworkCore")
            {
                _subscriptions.Add(value.Subscribe(this));
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value.Key == RelationalEventId.CommandExecuting.Name
                && value.Value is CommandEventData { Command.Connection.DataSource: { } source }
                && source.Contains("idpg-", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _count);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }

        public void Dispose() => _subscriptions.ForEach(subscription => subscription.Dispose());
    }
}
