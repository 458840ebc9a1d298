using System.Globalization;

namespace IdentityServer.Protocol.Keys;

/// <summary>Times and lengths of time as operators read them.</summary>
public static class Spans
{
    /// <summary><c>90 d</c>, <c>49 h 5 min</c>, <c>30 s</c>.</summary>
    public static string Text(TimeSpan span)
    {
        // Up to three days in hours, as operators count them.
        var days = span.TotalDays >= 3 ? span.Days : 0;
        var parts = new List<string>(4);
        Add(days, "d");
        Add((int)(span - TimeSpan.FromDays(days)).TotalHours, "h");
        Add(span.Minutes, "min");
        Add(span.Seconds, "s");
        return parts.Count == 0 ? "0 s" : string.Join(' ', parts.Take(2));

        void Add(int count, string unit)
        {
            if (count > 0)
            {
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{count} {unit}"));
            }
        }
    }

    /// <summary>To the second, in UTC: <c>2026-11-24T14:20:00Z</c>, which every command reads back.</summary>
    public static string Text(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
