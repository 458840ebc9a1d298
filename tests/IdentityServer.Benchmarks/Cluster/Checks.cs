using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Cluster;

/// <summary>Introspection and UserInfo in turns at a steady rate, of tokens that live and tokens that were ended, through whatever stands before the nodes.</summary>
internal sealed class Checks(RelyingParty app, IReadOnlyList<Held> held, TimeSpan longest)
{
    private const int AtOnce = 32;
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(2);

    private readonly ConcurrentBag<double> _milliseconds = [];
    private readonly ConcurrentBag<string> _wrong = [];
    private int _next = -1;

    /// <summary>Answers that must not be: alive long after the end, or dead without an end.</summary>
    public IReadOnlyCollection<string> Wrong => _wrong;

    public int Count => _milliseconds.Count;

    public double P99 => Percentile.Of(_milliseconds, 0.99);

    /// <summary>Asks until told to stop.</summary>
    public Task RunAsync(CancellationToken stop)
    {
        var begin = Stopwatch.GetTimestamp();
        return Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(() => AskAsync(begin, stop), CancellationToken.None)));
    }

    private async Task AskAsync(long begin, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var number = Interlocked.Increment(ref _next);
            try
            {
                if ((Pace * number) - Stopwatch.GetElapsedTime(begin) is var early && early > TimeSpan.Zero)
                {
                    await Task.Delay(early, stop);
                }

                await AskAsync(held[RandomNumberGenerator.GetInt32(held.Count)], asksUserInfo: number % 2 == 0, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task AskAsync(Held one, bool asksUserInfo, CancellationToken ct)
    {
        var mustBeDead = one.SinceAnswer > longest;
        var start = Stopwatch.GetTimestamp();
        var answer = asksUserInfo
            ? await app.UserInfoAsync(one.Tokens.AccessToken!, ct)
            : await app.IntrospectAsync(one.Tokens.AccessToken!, ct);
        _milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        var isAlive = answer.Status == 200 && (asksUserInfo || answer.IsActive);
        var isRefused = asksUserInfo ? answer.Status == 401 : answer.Status == 200 && !answer.IsActive;
        if (isAlive == isRefused || (isAlive && mustBeDead) || (isRefused && one.IsAlive))
        {
            _wrong.Add($"{(asksUserInfo ? "UserInfo" : "introspection")} answered {answer} {(mustBeDead ? "to a dead token" : "to a live one")}");
        }
    }
}

/// <summary>By nearest rank.</summary>
internal static class Percentile
{
    public static double Of(IEnumerable<double> values, double part)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * part) - 1)];
    }
}
