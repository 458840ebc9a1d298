using System.Diagnostics;
using IdentityServer.Benchmarks.Results;
using IdentityServer.Benchmarks.Targets;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Load;

/// <summary>Starts our server several times and watches its first seconds.</summary>
internal static class Starting
{
    private const int Times = 3;
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);

    /// <summary>The last of the started servers is returned running.</summary>
    public static async Task<(Start Start, MeasuredProcess Process)> MeasureAsync(
        Product product, BenchmarkOptions options, CancellationToken ct)
    {
        var firstToken = new List<double>();
        var firstP99 = new List<double>();
        for (var time = 1; time < Times; time++)
        {
            using var http = Browser.CreateClient();
            await using var process = product.Start();
            firstToken.Add(await FirstTokenAsync(process, product.EarlyClient(http), ct));
            firstP99.Add(await Burst.P99Async(product.EarlyClient(http), options.Connections, ct));
        }

        // The last one is left alone first: a burst grows the heap.
        using var lastHttp = Browser.CreateClient();
        var last = product.Start();
        firstToken.Add(await FirstTokenAsync(last, product.EarlyClient(lastHttp), ct));
        await Task.Delay(Quiet, ct);
        return (
            new Start
            {
                Database = product.Provider,
                FirstTokenMilliseconds = Row.Median(firstToken),
                FirstP99 = Row.Median(firstP99),
                IdleMebibytes = last.ResidentMebibytes(),
            },
            last);
    }

    public static async Task<Start> SettleAsync(Start start, Target target, BenchmarkOptions options, CancellationToken ct)
    {
        var settled = new List<double>();
        for (var time = 0; time < Times; time++)
        {
            settled.Add(await Burst.P99Async(target.Client, options.Connections, ct));
        }

        return start with { SettledP99 = Row.Median(settled), LoadedMebibytes = target.Process.ResidentMebibytes() };
    }

    /// <summary>Milliseconds until a server just started has answered a first client_credentials request.</summary>
    public static async Task<double> FirstTokenAsync(MeasuredProcess process, RelyingParty client, CancellationToken ct)
    {
        await Readiness.WaitAsync(
            process, async () => (await client.ClientCredentialsAsync(Target.ServiceScope, ct)).Succeeded, ct);
        return process.Age().TotalMilliseconds;
    }
}
