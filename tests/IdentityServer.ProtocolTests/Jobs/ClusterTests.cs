using IdentityServer.Storage;
using IdentityServer.Storage.Jobs;
using IdentityServer.Storage.Schema;
using IdentityServer.Testing;
using Npgsql;

namespace IdentityServer.ProtocolTests.Jobs;

/// <summary>Three nodes on one PostgreSQL. Each has a database user of its own, so that a node can be cut off as a crash would do.</summary>
public sealed class ClusterTests : IAsyncLifetime
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);
    private static readonly string[] _names = ["node_a", "node_b", "node_c"];

    private readonly List<JobNode> _nodes = [];
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
        TestJob[] jobs = [.. _names.Select(_ => new TestJob("tick", _second, (_, _) => Task.FromResult<string?>("ticked")))];
        await StartAsync(jobs);
        var started = TimeProvider.System.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(5), Ct);
        var elapsed = TimeProvider.System.GetElapsedTime(started);

        var runs = jobs.Sum(job => job.Runs);
        var recorded = await _nodes[0].Get<IJobHistory>().LatestAsync("tick", 100, Ct);

        // Once a second, not once a second and node.
        Assert.InRange(runs, 2, (int)elapsed.TotalSeconds + 4);
        Assert.InRange(recorded.Count, runs - 1, runs + 1);
        Assert.All(recorded, run => Assert.Equal((JobOutcome.Ok, "ticked"), (run.Outcome, run.Detail)));
    }

    [Fact]
    public async Task When_a_node_dies_in_the_middle_of_a_job_another_goes_on()
    {
        var entered = new TaskCompletionSource<TestJob>(TaskCreationOptions.RunContinuationsAsynchronously);
        var takenOver = new TaskCompletionSource<TestJob>(TaskCreationOptions.RunContinuationsAsynchronously);
        TestJob[] jobs = [.. _names.Select(_ => new TestJob("stuck", _second, async (job, ct) =>
        {
            if (entered.TrySetResult(job))
            {
                await Task.Delay(Timeout.Infinite, ct);
            }

            takenOver.TrySetResult(job);
            return null;
        }))];
        await StartAsync(jobs);
        var first = await entered.Task.WaitAsync(_patience, Ct);

        // As long as it is alive, nobody else begins.
        await Task.Delay(TimeSpan.FromSeconds(3), Ct);
        Assert.False(takenOver.Task.IsCompleted);
        await CutOffAsync(_names[Array.IndexOf(jobs, first)]);

        Assert.NotSame(first, await takenOver.Task.WaitAsync(_patience, Ct));
    }

    private async Task StartAsync(TestJob[] jobs)
    {
        foreach (var (name, job) in _names.Zip(jobs))
        {
            await AdministerAsync($"CREATE ROLE {name} SUPERUSER LOGIN");
            var connection = new NpgsqlConnectionStringBuilder(_database) { Username = name }.ToString();
            _nodes.Add(new JobNode(new StorageOptions(DatabaseProvider.PostgreSql, connection), job));
        }

        await _nodes[0].Get<DatabaseSchema>().MigrateAsync(Ct);
        await Task.WhenAll(_nodes.Select(node => node.StartAsync(Ct)));
    }

    private async Task CutOffAsync(string name)
    {
        await AdministerAsync($"ALTER ROLE {name} NOLOGIN");
        await AdministerAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'");
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
}
