using System.Diagnostics.CodeAnalysis;
using IdentityServer.Protocol.Keys;
using Quartz;

namespace IdentityServer.Jobs;

/// <summary>
/// Reads what operators type: five fields as in a crontab (minute, hour, day, month, weekday), or Quartz's own six or seven (seconds
/// first, a year last if at all). What a change of the clock leaves out comes at the first instant after the gap. A time of day that
/// comes twice counts once, the first time; only what runs all day long goes on through the second hour too.
/// </summary>
internal sealed class CronTime : ICronCalendar
{
    private const int LongestExpression = 200;
    private static readonly DateTimeOffset Beginning = DateTimeOffset.UnixEpoch;

    /// <summary>The longest gap that a time zone ever had: Samoa left out a day.</summary>
    private static readonly TimeSpan LongestGap = TimeSpan.FromHours(25);

    /// <summary>False, and a sentence for the operator, when the expression or the time zone (IANA) means nothing.</summary>
    public bool TryParse(string expression, string timeZone, [NotNullWhen(false)] out string? problem) =>
        TryRead(expression, timeZone, out _, out problem);

    /// <summary>The first instant the expression names strictly after the given one; <see langword="null"/>: there is none.</summary>
    public DateTimeOffset? Next(string expression, string timeZone, DateTimeOffset after) =>
        TryRead(expression, timeZone, out var cron, out _) ? After(cron, after) : null;

    private static bool TryRead(
        string expression,
        string timeZone,
        [NotNullWhen(true)] out CronExpression? cron,
        [NotNullWhen(false)] out string? problem)
    {
        cron = null;
        if (expression.Length > LongestExpression)
        {
            problem = $"The schedule is longer than {LongestExpression} characters.";
            return false;
        }

        if (!TryFind(timeZone, out var zone))
        {
            problem = $"There is no time zone “{timeZone}”. It takes a name such as UTC or Europe/Berlin.";
            return false;
        }

        var fields = expression.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var text = fields.Length switch
        {
            5 => Crontab.Translate(fields, out problem),
            6 or 7 => CheckQuartz(fields, out problem),
            _ => Refuse(fields.Length, out problem),
        };
        if (text is null || problem is not null)
        {
            problem ??= "The schedule is not understood.";
            return false;
        }

        if (!TryParseQuartz(text, out var parsed))
        {
            problem = "The schedule is not understood.";
            return false;
        }

        cron = parsed.WithTimeZone(zone);
        if (After(cron, Beginning) is null)
        {
            problem = "The schedule names a day that never comes.";
            cron = null;
            return false;
        }

        return true;
    }

    // Quartz stays where it is at a gap as long as a day, and answers the same instant again.
    private static DateTimeOffset? After(CronExpression cron, DateTimeOffset after)
    {
        for (var gap = TimeSpan.Zero; gap <= LongestGap; gap += TimeSpan.FromHours(1))
        {
            if (after > DateTimeOffset.MaxValue - gap - TimeSpan.FromDays(2))
            {
                return null;
            }

            var next = cron.GetNextValidTimeAfter(after + gap);
            if (next is null || next > after)
            {
                return next?.ToUniversalTime();
            }
        }

        return null;
    }

    private static string? CheckQuartz(string[] fields, out string? problem)
    {
        string[] names = ["second", "minute", "hour", "day", "month", "weekday", "year"];
        for (var i = 0; i < fields.Length; i++)
        {
            // Each by itself, so that the message can say which.
            string[] alone = ["0", "0", "0", i == 5 ? "?" : "*", "*", i == 5 ? "*" : "?", "*"];
            alone[i] = fields[i];
            if (!TryParseQuartz(string.Join(' ', alone), out _))
            {
                problem = $"The field {names[i]} (“{fields[i]}”) is not understood.";
                return null;
            }
        }

        problem = null;
        return string.Join(' ', fields);
    }

    private static string? Refuse(int count, out string problem)
    {
        problem = $"A schedule has five fields (minute hour day month weekday), or six or seven as Quartz writes them; this one has {count}.";
        return null;
    }

    private static bool TryParseQuartz(string text, [NotNullWhen(true)] out CronExpression? cron)
    {
        try
        {
            return CronExpression.TryParse(text, CronFormat.Quartz, out cron);
        }
        catch (Exception error) when (error is FormatException or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            cron = null;
            return false;
        }
    }

    private static bool TryFind(string timeZone, [NotNullWhen(true)] out TimeZoneInfo? zone)
    {
        zone = null;
        return timeZone.Length is > 0 and < 100
            && timeZone.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '_' or '-' or '+')
            && TimeZoneInfo.TryFindSystemTimeZoneById(timeZone, out zone);
    }
}
