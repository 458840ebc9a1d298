using System.Diagnostics;
using IdentityServer.Benchmarks.Results;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Load;

/// <summary>Starts our server several times and watches its first seconds.</summary>
internal static class Starting
{
    private const int Times = 3;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    /// <summary>The last of the started servers is returned running.</summary>
    public static async Task<(Start Start, Target Target)> MeasureAsync(
        Product product, BenchmarkOptions options, bool thoroughly, CancellationToken ct)
    {
        var firstToken = new List<double>();
        var firstP99 = new List<double>();
        var idle = new List<double>();
        for (var time = 1; ; time++)
        {
            using var http = Http.NewClient();
            var watch = Stopwatch.StartNew();
            var process = product.Start();
            await Readiness.WaitAsync(
                process, () => Burst.RequestTokenAsync(http, product.Token, product.Client, "", ct), ct);
            firstToken.Add(watch.Elapsed.TotalMilliseconds);

            var last = !thoroughly || time == Times;
            if (last && thoroughly)
            {
                // The others were asked at once; this one is left alone first, because a burst grows the heap.
                await Task.Delay(Quiet, ct);
                idle.Add(process.ResidentMebibytes());
            }
            else
            {
                firstP99.Add(await Burst.P99Async(http, product.Token, product.Client, options.Connections, ct));
            }

            if (last)
            {
                var start = new Start
                {
                    Database = product.Provider,
                    FirstTokenMilliseconds = Row.Median(firstToken),
                    FirstP99 = Row.Median(firstP99),
                    IdleMebibytes = idle.Count > 0 ? Row.Median(idle) : process.ResidentMebibytes(),
                };
                return (start, await product.AttachAsync(process, http, ct));
            }

            await process.DisposeAsync();
        }
    }

    public static async Task<Start> SettleAsync(Start start, Target target, BenchmarkOptions options, CancellationToken ct)
    {
        using var http = Http.NewClient();
        var settled = new List<double>();
        for (var time = 0; time < Times; time++)
        {
            settled.Add(await Burst.P99Async(http, target.Metadata.Token, target.Client, options.Connections, ct));
        }

        return start with { SettledP99 = Row.Median(settled), LoadedMebibytes = target.Process.ResidentMebibytes() };
    }
}
