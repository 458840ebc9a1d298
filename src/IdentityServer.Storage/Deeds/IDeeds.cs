namespace IdentityServer.Storage.Deeds;

/// <summary>
/// Runs deeds: changes of state that happen whole or not at all. What the deed answers reaches the caller only after the commit;
/// a deed that throws leaves nothing behind.
/// </summary>
internal interface IDeeds
{
    /// <param name="deed">
    /// What to do, on a context whose transaction is open. It may run again from the start when the database asked for a retry
    /// before anything was committed, so it has no effect outside its context.
    /// </param>
    /// <param name="ct">Stops waiting; the deed is then done whole or not at all.</param>
    Task<T> RunAsync<T>(Func<ServerDb, CancellationToken, Task<T>> deed, CancellationToken ct);

    /// <summary>The same for the busiest deeds. True when the deciding statement changed a row.</summary>
    /// <param name="deed">What to do.</param>
    /// <param name="values">In the order of <see cref="ConditionalDeed.Parameters"/>.</param>
    /// <param name="ct">As above.</param>
    Task<bool> DecideAsync(ConditionalDeed deed, object?[] values, CancellationToken ct);

    /// <summary>One statement, which is a transaction of its own. Answers how many rows it changed.</summary>
    Task<int> ExecuteAsync(Statement statement, object?[] values, CancellationToken ct);
}
