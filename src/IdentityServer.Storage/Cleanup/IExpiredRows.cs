namespace IdentityServer.Storage.Cleanup;

/// <summary>What nobody can need any more.</summary>
public interface IExpiredRows
{
    /// <summary>
    /// Deletes it, a few hundred rows in a transaction, so that nobody waits long; what is left over waits for the next run. Harmless
    /// when several nodes do so at once. Answers how many rows of which table went.
    /// </summary>
    ValueTask<IReadOnlyDictionary<string, int>> DeleteAsync(DateTimeOffset now, CancellationToken ct);
}
