using IdentityServer.Storage.Throttling;

namespace IdentityServer.Throttling;

/// <summary>How many attempts without success are free, and how long one waits after each further one.</summary>
/// <param name="Free">Attempts in a row before anybody waits.</param>
/// <param name="First">The first wait; each further attempt doubles it.</param>
/// <param name="Longest">The longest wait.</param>
/// <param name="ForgetAfter">After so long without an attempt the count begins anew; <see langword="null"/>: only a success does that.</param>
/// <param name="Most">After so many there are no further ones at all, until the count is ended from outside (NIST SP 800-63B-4 §3.2.2: at
/// most 100); <see langword="null"/>: no such end.</param>
public sealed record ThrottleRule(int Free, TimeSpan First, TimeSpan Longest, TimeSpan? ForgetAfter, int? Most)
{
    /// <summary>No more attempts.</summary>
    public static DateTimeOffset Never { get; } = DateTimeOffset.FromUnixTimeMilliseconds(253402300799000);

    /// <summary>Pure: the count after one more attempt at that instant.</summary>
    public Attempts Next(string key, Attempts? seen, DateTimeOffset now)
    {
        var count = (seen?.Count ?? 0) + 1;
        DateTimeOffset? blockedUntil = count >= Most ? Never : count >= Free ? now + Wait(count - Free) : null;
        return new Attempts
        {
            Key = key,
            Count = count,
            BlockedUntil = blockedUntil,
            ExpiresAt = ForgetAfter is { } time && blockedUntil != Never ? (blockedUntil ?? now) + time : Never,
        };
    }

    private TimeSpan Wait(int further)
    {
        var wait = First * Math.Pow(2, Math.Min(further, 30));
        return wait < Longest ? wait : Longest;
    }
}

/// <summary>One thing that is counted.</summary>
/// <param name="Key">Names it for all nodes. Holds no name or address of a person in clear.</param>
/// <param name="Rule">What happens when the count rises.</param>
/// <param name="IsEndedBySuccess">A success begins the count anew; otherwise it only takes its own attempt back.</param>
public sealed record Counter(string Key, ThrottleRule Rule, bool IsEndedBySuccess = true);
