using System.Globalization;
using IdentityServer.Storage.Cleanup;

namespace IdentityServer.Jobs;

/// <summary>Marks what cutoffs ended, and deletes what has expired.</summary>
internal sealed class CleanupJob(ICutoffMarks marks, IExpiredRows rows, TimeProvider clock) : IServerJob
{
    public string Name => "cleanup";

    public TimeSpan Every => TimeSpan.FromMinutes(10);

    public async ValueTask<string?> RunAsync(CancellationToken ct)
    {
        await marks.MarkAsync(clock.GetUtcNow(), ct);
        var deleted = await rows.DeleteAsync(clock.GetUtcNow(), ct);
        return deleted.Count == 0
            ? null
            : string.Join(", ", deleted.Select(table => string.Create(CultureInfo.InvariantCulture, $"{table.Key} {table.Value}")));
    }
}
