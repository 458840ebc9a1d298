using IdentityServer.Benchmarks.Load;

namespace IdentityServer.Benchmarks.Results;

/// <summary>One scenario on one database, medians over the rounds; ratios are medians of the ratios within each round.</summary>
internal sealed record Row
{
    public required string Scenario { get; init; }

    public required string Database { get; init; }

    public required double Ours { get; init; }

    public double? Peer { get; init; }

    public double? Floor { get; init; }

    public double? OfPeer { get; init; }

    public double? OfFloor { get; init; }

    public required double P50 { get; init; }

    public required double P99 { get; init; }

    public required double CpuMilliseconds { get; init; }

    public double? PeerCpuMilliseconds { get; init; }

    public double? FloorCpuMilliseconds { get; init; }

    public required Goal Goal { get; init; }

    public string? Failure { get; init; }

    /// <summary>Whether the goal is reached; <see langword="null"/> without one.</summary>
    public bool? Met => Failure is not null ? false : Goal == new Goal() ? null : Reaches(Goal);

    public static Row Of(
        string scenario,
        string database,
        Goal goal,
        IReadOnlyList<Measurement> ours,
        IReadOnlyList<Measurement>? peer,
        IReadOnlyList<Measurement>? floor) => new()
        {
            Scenario = scenario,
            Database = database,
            Goal = goal,
            Ours = Median(ours, x => x.PerSecond),
            Peer = MedianIfAny(peer, x => x.PerSecond),
            Floor = MedianIfAny(floor, x => x.PerSecond),
            OfPeer = Ratio(ours, peer),
            OfFloor = Ratio(ours, floor),
            P50 = Median(ours, x => x.P50),
            P99 = Median(ours, x => x.P99),
            CpuMilliseconds = Median(ours, x => x.CpuMilliseconds),
            PeerCpuMilliseconds = MedianIfAny(peer, x => x.CpuMilliseconds),
            FloorCpuMilliseconds = MedianIfAny(floor, x => x.CpuMilliseconds),
            Failure = Failures(ours, peer, floor).FirstOrDefault(),
        };

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1
            ? sorted[sorted.Length / 2]
            : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    private bool Reaches(Goal goal) =>
        !(OfPeer < goal.OfPeer) && !(OfFloor < goal.OfFloor) && !(P99 >= goal.P99);

    private static double Median(IReadOnlyList<Measurement> of, Func<Measurement, double> what) => Median(of.Select(what));

    private static double? MedianIfAny(IReadOnlyList<Measurement>? of, Func<Measurement, double> what) =>
        of is null ? null : Median(of, what);

    private static double? Ratio(IReadOnlyList<Measurement> ours, IReadOnlyList<Measurement>? theirs) =>
        theirs is null ? null : Median(ours.Zip(theirs, (x, y) => x.PerSecond / y.PerSecond));

    private static IEnumerable<string> Failures(
        IReadOnlyList<Measurement> ours, IReadOnlyList<Measurement>? peer, IReadOnlyList<Measurement>? floor) =>
        new[] { ("ours", ours), ("peer", peer ?? []), ("floor", floor ?? []) }
            .SelectMany(x => x.Item2.Where(y => y.Failure is not null).Select(y => $"{x.Item1}: {y.Failure}"));
}
