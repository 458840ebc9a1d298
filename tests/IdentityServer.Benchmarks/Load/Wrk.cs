using System.Globalization;
using System.Text.Json;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Load;

/// <summary>The load generator: Debian's wrk with one of the scripts in the folder wrk.</summary>
internal sealed class Wrk(string projectFolder, BenchmarkOptions options)
{
    private const string Marker = "RESULT ";
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    public async Task<Measurement> RunAsync(
        Job job, MeasuredProcess server, int seconds, CancellationToken ct)
    {
        var scripts = Path.Combine(projectFolder, "wrk");
        var environment = new Dictionary<string, string>(job.Environment)
        {
            ["BENCH_LUA"] = scripts,
            ["BENCH_THREADS"] = options.Threads.ToString(CultureInfo.InvariantCulture),
        };
        string[] arguments =
        [
            string.Create(CultureInfo.InvariantCulture, $"-t{options.Threads}"),
            string.Create(CultureInfo.InvariantCulture, $"-c{options.Connections}"),
            string.Create(CultureInfo.InvariantCulture, $"-d{seconds}s"),
            "-s", Path.Combine(scripts, job.Script),
            job.Uri.AbsoluteUri,
        ];

        var before = server.CpuMilliseconds();
        var output = await MeasuredProcess.RunAsync("wrk", arguments, environment, ct);
        var cpu = server.CpuMilliseconds() - before;

        var line = output.Split('\n').First(x => x.StartsWith(Marker, StringComparison.Ordinal))[Marker.Length..];
        var raw = JsonSerializer.Deserialize<Raw>(line, Web) ?? throw new InvalidOperationException("wrk printed no result.");
        var deeds = job.CountsFlows ? raw.Flows : raw.Requests;
        return new Measurement
        {
            PerSecond = deeds / (raw.Microseconds / 1e6),
            P50 = raw.P50 / 1000.0,
            P99 = raw.P99 / 1000.0,
            Max = raw.Max / 1000.0,
            CpuMilliseconds = cpu / Math.Max(1, deeds),
            Failure = raw.Unexpected + raw.SocketErrors == 0
                ? null
                : $"{raw.Unexpected} unexpected answers, {raw.SocketErrors} socket errors; first: {raw.Example}",
        };
    }

    private sealed record Raw(
        long Requests, long Flows, long Microseconds, long P50, long P99, long Max, long Unexpected, long SocketErrors, string Example);
}

/// <summary>What wrk is to do: a script, where, and the values the script reads.</summary>
internal sealed record Job(string Script, Uri Uri, IReadOnlyList<KeyValuePair<string, string>> Environment, bool CountsFlows);

/// <summary>One run of one scenario against one server.</summary>
internal sealed record Measurement
{
    /// <summary>Requests, or complete flows, a second.</summary>
    public required double PerSecond { get; init; }

    /// <summary>Milliseconds, of single requests.</summary>
    public required double P50 { get; init; }

    public required double P99 { get; init; }

    public required double Max { get; init; }

    /// <summary>User and system time of the server process for one request or flow; a database of its own is not in it.</summary>
    public required double CpuMilliseconds { get; init; }

    public string? Failure { get; init; }
}
