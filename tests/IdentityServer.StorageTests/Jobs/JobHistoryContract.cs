using IdentityServer.Storage;
using IdentityServer.Storage.Jobs;

namespace IdentityServer.StorageTests.Jobs;

public sealed class JobHistoryContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_run_is_found_as_it_was_recorded(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var history = storage.Get<IJobHistory>();
        var run = Run("cleanup", minute: 0) with { EndedAt = Samples.Now.AddSeconds(3), Detail = "Tokens 12" };

        await history.RecordAsync(run, Ct);

        Assert.Equal([run], await history.LatestAsync("cleanup", 10, Ct));
        Assert.Equal([run], await history.LatestAsync(null, 10, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_latest_runs_come_first_of_one_job_or_of_all(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var history = storage.Get<IJobHistory>();
        var runs = Enumerable.Range(0, 6).Select(i => Run(i % 2 == 0 ? "cleanup" : "key-rollover", i)).ToArray();
        foreach (var run in runs)
        {
            await history.RecordAsync(run, Ct);
        }

        Assert.Equal([runs[5], runs[4], runs[3]], await history.LatestAsync(null, 3, Ct));
        Assert.Equal([runs[4], runs[2]], await history.LatestAsync("cleanup", 2, Ct));
        Assert.Empty(await history.LatestAsync("CLEANUP", 2, Ct));
        Assert.Empty(await history.LatestAsync("no job\0", 2, Ct));
        Assert.Empty(await history.LatestAsync("", 2, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_success_is_any_end_but_a_failure(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var history = storage.Get<IJobHistory>();
        Assert.Null(await history.LatestSuccessAsync("cleanup", Ct));

        await history.RecordAsync(Run("cleanup", 0, JobOutcome.Ok), Ct);
        await history.RecordAsync(Run("cleanup", 1, JobOutcome.Nothing), Ct);
        await history.RecordAsync(Run("cleanup", 2, JobOutcome.Failed), Ct);
        await history.RecordAsync(Run("key-rollover", 3, JobOutcome.Ok), Ct);

        Assert.Equal(Run("cleanup", 1, JobOutcome.Nothing), await history.LatestSuccessAsync("cleanup", Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Long_texts_are_cut_and_never_refused(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var history = storage.Get<IJobHistory>();

        await history.RecordAsync(Run("cleanup", 0) with { Node = new('n', 1000), Detail = new('d', 1000) }, Ct);

        var run = Assert.Single(await history.LatestAsync("cleanup", 2, Ct));
        Assert.Equal((200, 400), (run.Node.Length, run.Detail!.Length));
    }

    private static JobRun Run(string job, int minute, JobOutcome outcome = JobOutcome.Ok) =>
        new(job, "node-1", Samples.Now.AddMinutes(minute), Samples.Now.AddMinutes(minute), outcome, null);
}
