using System.Diagnostics;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Cluster;

/// <summary>Tokens that somebody holds, and when they were ended.</summary>
internal sealed class Held(TokenAnswer tokens)
{
    private long _beginning;
    private long _answered;

    public TokenAnswer Tokens => tokens;

    /// <summary>Nobody has begun to end it.</summary>
    public bool IsAlive => Volatile.Read(ref _beginning) == 0;

    /// <summary>Ends it; the clock runs from the answer.</summary>
    public async Task EndAsync(Func<Task> end)
    {
        Volatile.Write(ref _beginning, Stopwatch.GetTimestamp());
        await end();
        Volatile.Write(ref _answered, Stopwatch.GetTimestamp());
    }

    /// <summary>The end was answered so long ago; <see langword="null"/>: not yet.</summary>
    public TimeSpan? SinceAnswer => Volatile.Read(ref _answered) is > 0 and var answered ? Stopwatch.GetElapsedTime(answered) : null;
}
