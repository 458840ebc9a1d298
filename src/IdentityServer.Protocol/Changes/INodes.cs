namespace IdentityServer.Protocol.Changes;

/// <summary>Which changes are in a node's memory. Rows may become visible out of order, so the highest one says nothing of those below.</summary>
/// <param name="Floor">Every change up to this one.</param>
/// <param name="Recent">And these above it, the latest first, <see cref="MostRecent"/> at most.</param>
public sealed record Heard(long Floor, IReadOnlyList<long> Recent)
{
    public const int MostRecent = 1000;

    public bool Has(long sequence) => sequence <= Floor || Recent.Contains(sequence);
}

/// <summary>Where each running server writes what it has heard of.</summary>
public interface INodes
{
    /// <param name="nodeId">Made at its start.</param>
    /// <param name="heard">What is in its memory.</param>
    /// <param name="startedAt">When it started.</param>
    /// <param name="now">When it says so.</param>
    /// <param name="ct">Stops waiting.</param>
    ValueTask SayAsync(string nodeId, Heard heard, DateTimeOffset startedAt, DateTimeOffset now, CancellationToken ct);

    /// <summary>The server stops: nobody waits for it any more.</summary>
    ValueTask LeaveAsync(string nodeId, CancellationToken ct);
}
