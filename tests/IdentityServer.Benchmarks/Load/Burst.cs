using System.Diagnostics;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Load;

/// <summary>A counted number of client_credentials requests, all of them timed: wrk only knows durations.</summary>
internal static class Burst
{
    private const int Requests = 1000;

    /// <summary>The 99th percentile of a thousand requests, in milliseconds.</summary>
    public static async Task<double> P99Async(HttpClient http, Uri token, Credentials client, int connections, CancellationToken ct)
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
                using var response = await RequestTokenAsync(http, token, client, "", ct);
                await response.Content.ReadAsByteArrayAsync(ct);
                milliseconds[index] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                response.EnsureSuccessStatusCode();
            }
        }
    }

    public static async Task<HttpResponseMessage> RequestTokenAsync(
        HttpClient http, Uri token, Credentials client, string more, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, token)
        {
            Headers = { Authorization = client.Basic },
            Content = Browser.Form(Scenarios.ClientCredentialsForm + more),
        };
        return await http.SendAsync(request, ct);
    }
}
