using System.Globalization;
using System.Runtime.InteropServices;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Results;

/// <summary>Where the figures come from; without it they mean nothing.</summary>
internal sealed record Machine(string Processor, int Cores, int MemoryGibibytes, string System, string Dotnet, string Node, string Postgres, string LoadBefore)
{
    public static async Task<Machine> ReadAsync(string node, bool postgres, string loadBefore, CancellationToken ct)
    {
        var processor = File.ReadLines("/proc/cpuinfo")
            .First(x => x.StartsWith("model name", StringComparison.Ordinal)).Split(':', 2)[1].Trim();
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1024.0 * 1024 * 1024);
        return new Machine(
            processor,
            Environment.ProcessorCount,
            (int)Math.Round(memory),
            RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription,
            $"Node.js {await VersionAsync(node, ct)}",
            postgres ? await VersionAsync("postgres", ct) : "no PostgreSQL",
            loadBefore);
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Processor}, {Cores} cores shared with the load generator, {MemoryGibibytes} GiB, {System}; {Dotnet}; {Node}; {Postgres}; load before {LoadBefore}");

    /// <summary>Processes waiting for a processor, over the last minute: above about 0.5 somebody else was at work.</summary>
    public static string LoadNow() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    private static async Task<string> VersionAsync(string program, CancellationToken ct) =>
        (await MeasuredProcess.RunAsync(program, ["--version"], [], ct)).Trim();
}
