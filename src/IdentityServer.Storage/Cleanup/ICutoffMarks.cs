namespace IdentityServer.Storage.Cleanup;

/// <summary>What a cutoff ended is dead without having been touched; here each row of it is marked, so that the cutoff itself can be forgotten.</summary>
public interface ICutoffMarks
{
    /// <summary>Marks sessions and grants as ended, in small batches. Harmless when several nodes do so at once. Answers how many it marked.</summary>
    ValueTask<int> MarkAsync(DateTimeOffset now, CancellationToken ct);
}
