namespace IdentityServer.Storage.Jobs;

/// <summary>How a run of a job ended.</summary>
public enum JobOutcome
{
    /// <summary>It did something; <see cref="JobRun.Detail"/> says what.</summary>
    Ok = 0,

    /// <summary>It was not done, or not wholly; the next run tries again.</summary>
    Failed = 1,

    /// <summary>There was nothing to do.</summary>
    Nothing = 2,
}

/// <summary>One run of a job on one node.</summary>
/// <param name="Job">The job's name, such as <c>cleanup</c>.</param>
/// <param name="Node">Where it ran.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="EndedAt">When it was over.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Detail">A few words for people; never a secret.</param>
public sealed record JobRun(
    string Job, string Node, DateTimeOffset StartedAt, DateTimeOffset EndedAt, JobOutcome Outcome, string? Detail);

/// <summary>What the jobs did: kept for thirty days.</summary>
public interface IJobHistory
{
    ValueTask RecordAsync(JobRun run, CancellationToken ct);

    /// <summary>The last runs, the latest first: of one job, or of all when <paramref name="job"/> is <see langword="null"/>.</summary>
    ValueTask<IReadOnlyList<JobRun>> LatestAsync(string? job, int count, CancellationToken ct);

    /// <summary>The last run of the job, on whichever node, that did not fail.</summary>
    ValueTask<JobRun?> LatestSuccessAsync(string job, CancellationToken ct);
}
