using IdentityServer.Jobs;
using IdentityServer.Storage;
using IdentityServer.Storage.Jobs;
using IdentityServer.Storage.Schema;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace IdentityServer.ProtocolTests.Jobs;

/// <summary>Three nodes on one PostgreSQL. Each has a database user of its own, so that a node can be cut off as a crash would do.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly List<Node> _nodes = [];
    private PostgresServer _postgres = null!;
    private string _database = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartAsync(durable: false, Ct);
        _database = await _postgres.CreateDatabaseAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        await _postgres.DisposeAsync();
    }

    [Fact]
    public async Task Each_firing_runs_on_one_node_and_is_recorded_once()
    {
        var (a, b, c) = await StartAsync(() => new Tick());
        var started = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(5), Ct);
        var elapsed = TimeProvider.System.GetElapsedTime(started);

        var runs = a.Job<Tick>().Runs + b.Job<Tick>().Runs + c.Job<Tick>().Runs;
        var recorded = await a.Services.GetRequiredService<IJobHistory>().LatestAsync("tick", 100, Ct);

        // Once a second, not once a second and node.
        Assert.InRange(runs, 2, (int)elapsed.TotalSeconds + 4);
        Assert.InRange(recorded.Count, runs - 1, runs + 1);
        Assert.All(recorded, run => Assert.Equal(JobOutcome.Ok, run.Outcome));
    }

    [Fact]
    public async Task When_a_node_dies_in_the_middle_of_a_job_another_goes_on()
    {
        var gate = new Gate();
        var (a, b, c) = await StartAsync(() => new Stuck(gate));
        var first = await gate.Entered.Task.WaitAsync(_patience, Ct);
        var victim = new[] { a, b, c }.Single(node => ReferenceEquals(node.Job<Stuck>(), first));

        // As long as it is alive, nobody else begins.
        await Task.Delay(TimeSpan.FromSeconds(3), Ct);
        Assert.False(gate.TakenOver.Task.IsCompleted);
        await CutOffAsync(victim);

        var second = await gate.TakenOver.Task.WaitAsync(_patience, Ct);
        Assert.NotSame(first, second);
    }

    private async Task<(Node A, Node B, Node C)> StartAsync(Func<IServerJob> job)
    {
        var nodes = new List<Node>();
        foreach (var name in new[] { "node_a", "node_b", "node_c" })
        {
            await AdministerAsync($"CREATE ROLE {name} SUPERUSER LOGIN");
            var connection = new NpgsqlConnectionStringBuilder(_database) { Username = name }.ToString();
            var node = new Node(name, new StorageOptions(DatabaseProvider.PostgreSql, connection), job());
            _nodes.Add(node);
            nodes.Add(node);
        }

        await nodes[0].Services.GetRequiredService<DatabaseSchema>().MigrateAsync(Ct);
        await Task.WhenAll(nodes.Select(node => node.StartAsync(Ct)));
        return (nodes[0], nodes[1], nodes[2]);
    }

    private async Task CutOffAsync(Node node)
    {
        await AdministerAsync($"ALTER ROLE {node.Name} NOLOGIN");
        await AdministerAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{node.Name}'");
    }

    private async Task AdministerAsync(string statement)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_database) { Pooling = false }.ToString());
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names of this class
        command.CommandText = statement;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(Ct);
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly IHost _host;
        private readonly IServerJob _job;

        public Node(string name, StorageOptions storage, IServerJob job)
        {
            (Name, _job) = (name, job);
            var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
            builder.Services.AddIdentityServerStorage(storage);
            builder.Services.AddSingleton(job);
            builder.Services.AddSingleton(new JobTiming
            {
                StartAfter = TimeSpan.Zero,
                CheckIn = TimeSpan.FromSeconds(1),
                CheckInGrace = TimeSpan.FromSeconds(2),
            });
            builder.Services.AddSingleton<JobWatch>();
            builder.Services.AddHostedService<JobScheduler>();
            builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(2));
            _host = builder.Build();
        }

        public string Name { get; }

        public IServiceProvider Services => _host.Services;

        public T Job<T>()
            where T : IServerJob => (T)_job;

        public Task StartAsync(CancellationToken ct) => _host.StartAsync(ct);

        public async ValueTask DisposeAsync()
        {
            try
            {
                await _host.StopAsync();
            }
            catch (OperationCanceledException)
            {
                // It was cut off.
            }

            _host.Dispose();
        }
    }

    private sealed class Tick : IServerJob
    {
        private int _runs;

        public int Runs => Volatile.Read(ref _runs);

        public string Name => "tick";

        public TimeSpan Every => TimeSpan.FromSeconds(1);

        public ValueTask<string?> RunAsync(CancellationToken ct)
        {
            Interlocked.Increment(ref _runs);
            return new("ticked");
        }
    }

    private sealed class Gate
    {
        public TaskCompletionSource<IServerJob> Entered { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<IServerJob> TakenOver { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The first run never ends.</summary>
    private sealed class Stuck(Gate gate) : IServerJob
    {
        public string Name => "stuck";

        public TimeSpan Every => TimeSpan.FromSeconds(1);

        public async ValueTask<string?> RunAsync(CancellationToken ct)
        {
            if (gate.Entered.TrySetResult(this))
            {
                await Task.Delay(Timeout.Infinite, ct);
            }

            gate.TakenOver.TrySetResult(this);
            return null;
        }
    }
}
