using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Load;

internal static class Readiness
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Returns as soon as the server answers a GET with success.</summary>
    public static Task WaitAsync(MeasuredProcess process, HttpClient http, Uri uri, CancellationToken ct) => WaitAsync(
        process,
        async () =>
        {
            using var response = await http.GetAsync(uri, ct);
            return response.IsSuccessStatusCode;
        },
        ct);

    /// <summary>Asks again and again until the answer is yes; a server that died or stays silent is an exception.</summary>
    public static async Task WaitAsync(MeasuredProcess process, Func<Task<bool>> ask, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        while (!await AskAsync(ask))
        {
            if (process.HasExited || limit.IsCancellationRequested)
            {
                throw new InvalidOperationException($"A server under test did not start:\n{process.LastLines()}");
            }

            await Task.Delay(Pause, ct);
        }
    }

    private static async Task<bool> AskAsync(Func<Task<bool>> ask)
    {
        try
        {
            return await ask();
        }
        catch (HttpRequestException)
        {
            // Not listening yet.
            return false;
        }
    }
}
