using IdentityServer.Jobs;
using IdentityServer.Storage;
using IdentityServer.Storage.Jobs;
using IdentityServer.Storage.Schema;
using IdentityServer.Testing;
using Microsoft.Data.Sqlite;

namespace IdentityServer.ProtocolTests.Jobs;

/// <summary>The scheduler on a SQLite file: stopped and started again, and with jobs that fail.</summary>
public sealed class JobSchedulerTests : IAsyncLifetime
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    private readonly string _folder = Directory.CreateTempSubdirectory("identityserver-jobs-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private StorageOptions Storage => new(DatabaseProvider.Sqlite, $"Data Source={_folder}/jobs.db");

    public async ValueTask InitializeAsync()
    {
        await using var node = new JobNode(Storage);
        await node.Get<DatabaseSchema>().MigrateAsync(Ct);
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_job_that_fails_is_recorded_without_its_message_and_runs_again()
    {
        var failing = new TestJob("failing", _second, (_, _) => throw new InvalidOperationException("password=secret"));
        var idle = new TestJob("idle", _second, (_, _) => Task.FromResult<string?>(null));
        await using (var node = await StartAsync(failing, idle))
        {
            await failing.RanAsync(2, Ct);
            await idle.RanAsync(2, Ct);
        }

        await using var later = new JobNode(Storage);
        var history = later.Get<IJobHistory>();
        var run = (await history.LatestAsync("failing", 1, Ct)).Single();
        Assert.Equal((JobOutcome.Failed, nameof(InvalidOperationException)), (run.Outcome, run.Detail));
        Assert.Null(await history.LatestSuccessAsync("failing", Ct));
        Assert.Equal(JobOutcome.Nothing, (await history.LatestSuccessAsync("idle", Ct))!.Outcome);
    }

    [Fact]
    public async Task A_restart_keeps_the_schedule_and_a_newer_version_changes_it()
    {
        var daily = Job("job", TimeSpan.FromDays(1));
        await using (await StartAsync(daily))
        {
            await daily.RanAsync(1, Ct);
        }

        // The same again: due tomorrow, not at every start.
        var (again, marker) = (Job("job", TimeSpan.FromDays(1)), Job("marker", _second));
        await using (await StartAsync(again, marker))
        {
            await marker.RanAsync(2, Ct);
            Assert.Equal(0, again.Runs);
        }

        var newer = Job("job", _second);
        await using (await StartAsync(newer))
        {
            await newer.RanAsync(2, Ct);
        }
    }

    [Fact]
    public async Task A_job_of_another_version_is_left_to_it()
    {
        var (other, ours) = (Job("other", _second), Job("ours", _second));
        await using (await StartAsync(other))
        {
            await other.RanAsync(1, Ct);
        }

        await using var node = await StartAsync(ours);
        await ours.RanAsync(3, Ct);
        var seen = other.Runs;

        var theirs = Job("other", _second);
        await using var back = new JobNode(Storage, theirs);
        await node.DisposeAsync();
        await back.StartAsync(Ct);
        await theirs.RanAsync(1, Ct);
        Assert.Equal(seen, other.Runs);
    }

    [Fact]
    public async Task Stopping_tells_the_job_that_runs_and_waits_for_it()
    {
        var told = false;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var slow = new TestJob("slow", _second, async (_, ct) =>
        {
            started.TrySetResult();
            try
            {
                await Task.Delay(Timeout.Infinite, ct);
            }
            finally
            {
                told = true;
            }

            return null;
        });
        await using (await StartAsync(slow))
        {
            await started.Task.WaitAsync(TimeSpan.FromSeconds(20), Ct);
        }

        Assert.True(told);
    }

    [Fact]
    public async Task Readiness_names_a_job_that_is_late_and_forgives_one_that_failed_once()
    {
        var clock = new MutableClock();
        var job = Job("key-rollover", TimeSpan.FromMinutes(1));
        await using var node = new JobNode(Storage);
        var history = node.Get<IJobHistory>();
        var watch = new JobWatch([job], history, clock);
        Assert.Equal("ok", watch.Status);

        await watch.LookAsync(Ct);
        clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal("ok", watch.Status);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("late: key-rollover never ran", watch.Status);

        var ran = clock.GetUtcNow();
        await history.RecordAsync(new("key-rollover", "elsewhere", ran, ran, JobOutcome.Nothing, null), Ct);
        await history.RecordAsync(new("key-rollover", "elsewhere", ran, ran, JobOutcome.Failed, null), Ct);
        await watch.LookAsync(Ct);
        Assert.Equal("ok", watch.Status);

        clock.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal($"late: key-rollover last ran {ran:yyyy-MM-dd'T'HH:mm:ss'Z'}", watch.Status);
    }

    private static TestJob Job(string name, TimeSpan every) => new(name, every, (_, _) => Task.FromResult<string?>("done"));

    private async Task<JobNode> StartAsync(params IServerJob[] jobs)
    {
        var node = new JobNode(Storage, jobs);
        await node.StartAsync(Ct);
        return node;
    }
}
