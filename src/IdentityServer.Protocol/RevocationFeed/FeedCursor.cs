using System.Globalization;

namespace IdentityServer.Protocol.RevocationFeed;

/// <summary>
/// A place in the change log that nothing can appear before any more, and when that was so: <c>SEQUENCE.MILLISECONDS</c>. By the instant
/// a node sees whether the log still reaches back so far.
/// </summary>
/// <param name="Sequence">The last row that its reader is done with.</param>
/// <param name="At">No row behind it was written (much) earlier.</param>
public sealed record FeedCursor(long Sequence, DateTimeOffset At)
{
    // Rows are deleted after a day (ExpiredRows); what is left over is for clocks that differ and for reading on.
    private static readonly TimeSpan Kept = TimeSpan.FromHours(20);
    private static readonly TimeSpan Skew = TimeSpan.FromHours(1);
    private const int MaxLength = 40;

    /// <summary>Reads what <see cref="ToString"/> wrote; <see langword="null"/> for anything else.</summary>
    public static FeedCursor? Parse(string text) =>
        text.Length <= MaxLength
        && text.Split('.') is [var sequence, var at]
        && long.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
        && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? new FeedCursor(number, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds))
            : null;

    /// <summary>True when the log can be read on from here.</summary>
    /// <param name="latest">The last sequence of the log; 0 when it is empty.</param>
    /// <param name="now">The present.</param>
    public bool IsKnown(long latest, DateTimeOffset now) =>
        now - At <= Kept && At - now <= Skew && (latest == 0 || Sequence <= latest);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Sequence}.{At.ToUnixTimeMilliseconds()}");
}
