using System.Globalization;
using IdentityServer.Storage.Jobs;

namespace IdentityServer.Jobs;

/// <summary>Knows whether the jobs run, on whichever node.</summary>
internal sealed class JobWatch(IEnumerable<IServerJob> jobs, IJobHistory history, TimeProvider clock)
{
    // Nothing depends on a single run.
    private const int Patience = 10;

    private readonly IServerJob[] _jobs = [.. jobs];
    private Seen? _seen;

    /// <summary>For the readiness document: <c>ok</c>, or which jobs are late.</summary>
    public string Status
    {
        get
        {
            if (_seen is not { } seen)
            {
                return "ok";
            }

            var now = clock.GetUtcNow();
            var late = _jobs.Where(job => now - Latest(seen, job) > job.Every * Patience).Select(job => Describe(job, seen)).ToArray();
            return late.Length == 0 ? "ok" : $"late: {string.Join("; ", late)}";
        }
    }

    /// <summary>Looks up when each job last succeeded.</summary>
    public async ValueTask LookAsync(CancellationToken ct)
    {
        var since = _seen?.Since ?? clock.GetUtcNow();
        var runs = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        foreach (var job in _jobs)
        {
            if (await history.LatestSuccessAsync(job.Name, ct) is { } run)
            {
                runs[job.Name] = run.EndedAt;
            }
        }

        _seen = new(since, runs);
    }

    private static DateTimeOffset Latest(Seen seen, IServerJob job) =>
        seen.Runs.TryGetValue(job.Name, out var at) && at > seen.Since ? at : seen.Since;

    private static string Describe(IServerJob job, Seen seen) => seen.Runs.TryGetValue(job.Name, out var at)
        ? string.Create(CultureInfo.InvariantCulture, $"{job.Name} last ran {at:yyyy-MM-dd'T'HH:mm:ss'Z'}")
        : $"{job.Name} never ran";

    private sealed record Seen(DateTimeOffset Since, IReadOnlyDictionary<string, DateTimeOffset> Runs);
}
