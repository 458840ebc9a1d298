namespace IdentityServer.Protocol.Changes;

/// <summary>What changed, so that memory can follow (docs/architecture.md, "Changes").</summary>
public enum ChangeKind
{
    Client = 0,
    Scope = 1,
    Key = 2,
    Revocation = 3,
}

/// <summary>One row of the change log.</summary>
/// <param name="Sequence">Grows with time; rows may become visible out of order.</param>
/// <param name="Kind">Which cache is concerned.</param>
/// <param name="Key">The client id, scope or API name, <c>kid</c>; for a revocation <c>KIND:KEY:AT:EXPIRES</c> with times in UTC milliseconds.</param>
/// <param name="At">When it was written.</param>
public sealed record Change(long Sequence, ChangeKind Kind, string Key, DateTimeOffset At);

/// <summary>The log every node reads.</summary>
public interface IChangeLog
{
    /// <summary>The highest sequence so far; 0 when the log is empty.</summary>
    ValueTask<long> LatestAsync(CancellationToken ct);

    /// <summary>The sequence of the last row written before the instant; 0 when there is none.</summary>
    ValueTask<long> LatestBeforeAsync(DateTimeOffset instant, CancellationToken ct);

    /// <summary>Rows with a higher sequence than <paramref name="after"/>, in order, at most 1 000.</summary>
    ValueTask<IReadOnlyList<Change>> ReadAsync(long after, CancellationToken ct);
}

/// <summary>A cache that follows the log. Applying the same change twice must be harmless.</summary>
public interface IChangeListener
{
    /// <summary>Loads everything; called once before the node reports ready.</summary>
    ValueTask LoadAsync(CancellationToken ct);

    ValueTask ApplyAsync(IReadOnlyList<Change> changes, CancellationToken ct);
}
