using IdentityServer.Benchmarks.Load;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks;

/// <summary>One question put to several servers in turns.</summary>
internal sealed record Scenario
{
    public required string Name { get; init; }

    public required IReadOnlyList<Contestant> Ours { get; init; }

    public Contestant? Peer { get; init; }

    public Contestant? Floor { get; init; }

    /// <summary>What we hold ourselves to, by the name of the database.</summary>
    public required Func<string, Goal> Goal { get; init; }

    public IEnumerable<Contestant> Contestants => [.. Ours, .. new[] { Peer, Floor }.OfType<Contestant>()];
}

/// <summary>A server and how to load it; prepared anew before each measurement.</summary>
internal sealed record Contestant(string Name, MeasuredProcess Process, Func<CancellationToken, Task<Job>> PrepareAsync);

/// <summary>Lower bounds of the ratios, and an upper bound of the 99th percentile in milliseconds.</summary>
internal sealed record Goal(double? OfPeer = null, double? OfFloor = null, double? P99 = null);
