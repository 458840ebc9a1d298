using System.Globalization;

namespace IdentityServer.Jobs;

/// <summary>
/// The five fields of a crontab, said in Quartz's six. A field is a list of <c>*</c>, values and ranges, each perhaps with a step; months
/// and weekdays have names. If both days are restricted, either will do (POSIX).
/// </summary>
internal static class Crontab
{
    private static readonly Field[] Fields =
    [
        new("minute", 0, 59, []),
        new("hour", 0, 23, []),
        new("day", 1, 31, []),
        new("month", 1, 12, ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        new("weekday", 0, 7, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ];

    /// <summary>The expression for Quartz, or <see langword="null"/> and what is wrong with which field.</summary>
    public static string? Translate(string[] fields, out string? problem)
    {
        var values = new SortedSet<int>[Fields.Length];
        for (var i = 0; i < Fields.Length; i++)
        {
            values[i] = [];
            problem = Fields[i].Read(fields[i], values[i]);
            if (problem is not null)
            {
                return null;
            }
        }

        problem = null;
        var (day, weekday) = Days(fields[2] == "*", values[2], fields[4] == "*", [.. values[4].Select(value => (value % 7) + 1)]);

        // Not as lists of values: Quartz wants to know what runs all day long, for the hour that comes twice.
        return $"0 {fields[0]} {fields[1]} {day} {List(values[3])} {weekday}";
    }

    // Quartz wants a question mark in one of them, unless both name days.
    private static (string Day, string Weekday) Days(bool anyDay, SortedSet<int> days, bool anyWeekday, SortedSet<int> weekdays) =>
        (anyDay || days.Count == 31, anyWeekday || weekdays.Count == 7) switch
        {
            (true, true) => ("*", "?"),
            (true, false) => anyDay ? ("?", List(weekdays)) : ("*", "?"),
            (false, true) => anyWeekday ? (List(days), "?") : ("*", "?"),
            (false, false) => (List(days), List(weekdays)),
        };

    private static string List(IEnumerable<int> values) =>
        string.Join(',', values.Select(value => value.ToString(CultureInfo.InvariantCulture)));

    private sealed record Field(string Name, int Least, int Most, string[] Names)
    {
        /// <summary>Adds the values of the field; answers what is wrong with it.</summary>
        public string? Read(string text, SortedSet<int> values)
        {
            foreach (var item in text.Split(','))
            {
                if (ReadItem(item, values) is { } problem)
                {
                    return $"The field {Name} (“{text}”) {problem}.";
                }
            }

            return null;
        }

        private string? ReadItem(string item, SortedSet<int> values)
        {
            var step = 1;
            var range = item;
            if (item.Split('/') is [var before, var after])
            {
                range = before;
                if (!TryNumber(after, out step) || step < 1 || step > Most)
                {
                    return $"has a step that is not a number from 1 to {Most}";
                }
            }

            var (first, last) = (Least, Most);
            if (range != "*")
            {
                var ends = range.Split('-');
                if (ends.Length > 2 || !TryValue(ends[0], isEnd: false, out first) || !TryValue(ends[^1], ends.Length == 2, out last))
                {
                    return $"takes {Least} to {Most}{(Names.Length > 0 ? ", names of three letters" : "")}, * and lists, ranges and steps of them";
                }

                if (first > last)
                {
                    return $"has a range that runs backwards ({range})";
                }

                // From there on, as in 5/15.
                last = ends.Length == 1 && step > 1 ? Most : last;
            }

            for (var value = first; value <= last; value += step)
            {
                values.Add(value);
            }

            return null;
        }

        // Sunday ends a range as it begins one.
        private bool TryValue(string text, bool isEnd, out int value)
        {
            value = text.Length == 3 ? Array.FindIndex(Names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) : -1;
            if (value >= 0)
            {
                value = isEnd && value == 0 && Name == "weekday" ? 7 : value;
                return true;
            }

            return TryNumber(text, out value) && value >= Least && value <= Most;
        }

        private static bool TryNumber(string text, out int number)
        {
            number = 0;
            return text.Length is 1 or 2
                && text.All(char.IsAsciiDigit)
                && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
        }
    }
}
