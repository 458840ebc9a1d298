namespace IdentityServer.Storage.Cleanup;

/// <summary>Tidying up can wait, people cannot: it takes a small part of the time, however much there is to tidy up.</summary>
internal static class Pacing
{
    // Of thirty-two parts of the time it takes one.
    private const int Rests = 31;
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(2);

    /// <summary>Does a batch, and rests if it changed anything. Answers how many rows it changed.</summary>
    public static async ValueTask<int> BatchAsync(TimeProvider clock, Func<Task<int>> doAsync, CancellationToken ct)
    {
        var start = clock.GetTimestamp();
        var rows = await doAsync();
        if (rows > 0)
        {
            var rest = clock.GetElapsedTime(start) * Rests;
            await Task.Delay(rest < LongestRest ? rest : LongestRest, clock, ct);
        }

        return rows;
    }
}
