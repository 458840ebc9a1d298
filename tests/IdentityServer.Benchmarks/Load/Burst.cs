using System.Diagnostics;
using IdentityServer.Benchmarks.Targets;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Load;

/// <summary>A counted number of client_credentials requests, all of them timed: wrk only knows durations.</summary>
internal static class Burst
{
    private const int Requests = 1000;

    /// <summary>The 99th percentile of a thousand requests, in milliseconds.</summary>
    public static async Task<double> P99Async(RelyingParty client, int connections, CancellationToken ct)
    {
        var milliseconds = new double[Requests];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(SendAsync, ct)));
        Array.Sort(milliseconds);
        return milliseconds[(Requests * 99 / 100) - 1];

        async Task SendAsync()
        {
            for (var index = Interlocked.Increment(ref next); index < Requests; index = Interlocked.Increment(ref next))
            {
                var start = Stopwatch.GetTimestamp();
                var answer = await client.ClientCredentialsAsync(Target.ServiceScope, ct);
                milliseconds[index] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                if (!answer.Succeeded)
                {
                    throw new InvalidOperationException($"{client.Provider.Issuer} answered {answer}.");
                }
            }
        }
    }
}
