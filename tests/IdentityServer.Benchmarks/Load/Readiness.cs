using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Load;

internal static class Readiness
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Returns as soon as the server answers a GET with success.</summary>
    public static Task WaitAsync(ServerProcess process, HttpClient http, Uri uri, CancellationToken ct) =>
        WaitAsync(process, () => http.GetAsync(uri, ct), ct);

    /// <summary>Asks again and again until the answer is a success; a server that died or stays silent is an exception.</summary>
    public static async Task WaitAsync(ServerProcess process, Func<Task<HttpResponseMessage>> ask, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        while (true)
        {
            try
            {
                using var response = await ask();
                if (response.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }

            if (process.HasExited || limit.IsCancellationRequested)
            {
                throw new InvalidOperationException($"A server under test did not start:\n{process.LastLines()}");
            }

            await Task.Delay(Pause, ct);
        }
    }
}
