namespace IdentityServer.Jobs;

/// <summary>
/// Work that is done from time to time, by one node each time. It may run late, twice, or on two nodes at once: that has to be harmless.
/// </summary>
internal interface IServerJob
{
    /// <summary>Its name for the history, and for all nodes of all versions: never changed.</summary>
    string Name { get; }

    /// <summary>How often.</summary>
    TimeSpan Every { get; }

    /// <summary>Does it, and answers what was done in a few words without secrets; <see langword="null"/>: there was nothing to do.</summary>
    ValueTask<string?> RunAsync(CancellationToken ct);
}
