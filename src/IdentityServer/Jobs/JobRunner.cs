using IdentityServer.Storage.Jobs;
using IdentityServer.Telemetry;
using Quartz;

namespace IdentityServer.Jobs;

/// <summary>
/// Runs whichever job is due, and records how it went. The one class that Quartz knows by name: its name stands in the database, where
/// nodes of another version read it.
/// </summary>
[DisallowConcurrentExecution]
internal sealed partial class JobRunner(
    IEnumerable<IServerJob> jobs, IJobHistory history, TimeProvider clock, ILogger<JobRunner> logger) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        var name = context.JobDetail.Key.Name;
        if (jobs.FirstOrDefault(job => job.Name == name) is not { } job)
        {
            return; // a job of another version: its nodes see to it
        }

        var startedAt = clock.GetUtcNow();
        var (outcome, detail) = await RunAsync(job, cancellationToken);
        Metrics.Jobs.Add(1, new("job", name), new("outcome", outcome.ToString().ToLowerInvariant()));
        await RecordAsync(new(name, context.Scheduler.SchedulerInstanceId, startedAt, clock.GetUtcNow(), outcome, detail));
    }

    private async Task<(JobOutcome Outcome, string? Detail)> RunAsync(IServerJob job, CancellationToken ct)
    {
        try
        {
            return await job.RunAsync(ct) is { } done ? (JobOutcome.Ok, done) : (JobOutcome.Nothing, null);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return (JobOutcome.Failed, "The node was stopped.");
        }
#pragma warning disable CA1031 // whatever it was, the next run tries again
        catch (Exception error)
#pragma warning restore CA1031
        {
            // The message may name what nobody should read in a table; the log has it.
            LogFailed(logger, job.Name, error);
            return (JobOutcome.Failed, error.GetType().Name);
        }
    }

    // Also when the node stops: what was done was done.
    private async Task RecordAsync(JobRun run)
    {
        try
        {
            await history.RecordAsync(run, CancellationToken.None);
        }
#pragma warning disable CA1031 // the job itself is over
        catch (Exception error)
#pragma warning restore CA1031
        {
            LogUnrecorded(logger, run.Job, error);
        }
    }

    [LoggerMessage(1301, LogLevel.Error, "The job {Job} failed; its next run tries again.")]
    private static partial void LogFailed(ILogger logger, string job, Exception error);

    [LoggerMessage(1302, LogLevel.Warning, "A run of the job {Job} could not be recorded.")]
    private static partial void LogUnrecorded(ILogger logger, string job, Exception error);
}
