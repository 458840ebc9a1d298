using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace IdentityServer.Benchmarks.Results;

/// <summary>Everything one run found, as a table to read and as figures to keep.</summary>
internal sealed record Report(Machine Machine, BenchmarkOptions Options, IReadOnlyList<Row> Rows, IReadOnlyList<Start> Starts)
{
    private static readonly JsonSerializerOptions Indented = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    public bool Broken => Rows.Any(x => x.Failure is not null);

    public async Task SaveAsync(string file, CancellationToken ct)
    {
        await using var stream = File.Create(file);
        await JsonSerializer.SerializeAsync(stream, this, Indented, ct);
    }

    public void Print(TextWriter output)
    {
        output.WriteLine(Machine);
        output.WriteLine(Text($"{Options.Connections} connections, median of {Options.Rounds} rounds of {Options.Seconds} s, taken in turns"));
        output.WriteLine();
        output.WriteLine(
            "| scenario | on | ours /s | peer /s | floor /s | x peer | % floor | p50 ms | p99 ms | CPU ms (peer, floor) | target | met |");
        output.WriteLine("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|");
        foreach (var row in Rows)
        {
            output.WriteLine(Text(
                $"| {row.Scenario} | {row.Database} | {row.Ours:F0} | {row.Peer:F0} | {row.Floor:F0} | {row.OfPeer:F2} | {row.OfFloor * 100:F0} | {row.P50:F2} | {row.P99:F2} | {row.CpuMilliseconds:F3} ({row.PeerCpuMilliseconds:F3}, {row.FloorCpuMilliseconds:F3}) | {Describe(row.Goal)} | {Verdict(row.Met)} |"));
        }

        PrintStarts(output);
        foreach (var row in Rows.Where(x => x.Failure is not null))
        {
            output.WriteLine($"FAILED {row.Scenario} on {row.Database}: {row.Failure}");
        }
    }

    private void PrintStarts(TextWriter output)
    {
        if (Starts.Count == 0)
        {
            return;
        }

        output.WriteLine();
        output.WriteLine("| start | on | measured | target | met |");
        output.WriteLine("|---|---|---:|---|---|");
        foreach (var start in Starts)
        {
            Line("start to first token", $"{start.FirstTokenMilliseconds:F0} ms", $"< {Start.MostMilliseconds:F0} ms",
                start.FirstTokenMilliseconds < Start.MostMilliseconds);
            Line("p99 of the first 1 000 requests", $"{start.FirstP99:F1} ms, settled {start.SettledP99:F1} ms",
                $"< {Start.MostTimesSettled:F0} x settled", start.FirstP99 < Start.MostTimesSettled * start.SettledP99);
            Line("memory, idle", $"{start.IdleMebibytes:F0} MiB", $"< {Start.MostIdleMebibytes:F0} MiB",
                start.IdleMebibytes < Start.MostIdleMebibytes);
            Line("memory, after load", $"{start.LoadedMebibytes:F0} MiB", $"", null);

            void Line(string what, FormattableString measured, FormattableString target, bool? met) => output.WriteLine(
                $"| {what} | {start.Database} | {Text(measured)} | {Text(target)} | {Verdict(met)} |");
        }
    }

    private static string Describe(Goal goal) => string.Join(
        ", ",
        new[]
        {
            goal.OfPeer is { } peer ? Text($">= {peer:0.0} x peer") : null,
            goal.OfFloor is { } floor ? Text($">= {floor * 100:F0} % of floor") : null,
            goal.P99 is { } p99 ? Text($"p99 < {p99:F0} ms") : null,
        }.OfType<string>());

    private static string Verdict(bool? met) => met switch { true => "yes", false => "NO", null => "" };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
