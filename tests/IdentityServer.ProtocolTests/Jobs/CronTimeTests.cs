using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using IdentityServer.Jobs;

namespace IdentityServer.ProtocolTests.Jobs;

public sealed class CronTimeTests
{
    private static readonly DateTimeOffset _thursday = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly CronTime _cron = new();

    [Theory]
    [InlineData("0 3 * * *", "2026-01-01T03:00:00Z")]
    [InlineData("  0\t3 *  * * ", "2026-01-01T03:00:00Z")]
    [InlineData("0 3 * * 0", "2026-01-04T03:00:00Z")]
    [InlineData("0 3 * * 7", "2026-01-04T03:00:00Z")]
    [InlineData("0 3 * * sun", "2026-01-04T03:00:00Z")]
    [InlineData("0 3 * * 1", "2026-01-05T03:00:00Z")]
    [InlineData("0 3 * * Sat-Sun", "2026-01-03T03:00:00Z")]
    [InlineData("0 3 * * 5-7", "2026-01-02T03:00:00Z")]
    [InlineData("0 3 1 * 1", "2026-01-01T03:00:00Z")]
    [InlineData("0 3 9 * 1", "2026-01-05T03:00:00Z")]
    [InlineData("0 3 20 * 0-6", "2026-01-01T03:00:00Z")]
    [InlineData("0 3 20 * *", "2026-01-20T03:00:00Z")]
    [InlineData("*/20 * * * *", "2026-01-01T00:20:00Z")]
    [InlineData("5/20 * * * *", "2026-01-01T00:05:00Z")]
    [InlineData("30 2-4,22 * feb *", "2026-02-01T02:30:00Z")]
    [InlineData("0 0 29 2 *", "2028-02-29T00:00:00Z")]
    [InlineData("15 0 3 * * ?", "2026-01-01T03:00:15Z")]
    [InlineData("0 0 3 ? * MON", "2026-01-05T03:00:00Z")]
    [InlineData("0 0 3 ? * 1", "2026-01-04T03:00:00Z")]
    [InlineData("0 0 3 L * ?", "2026-01-31T03:00:00Z")]
    [InlineData("0 0 3 * * ? 2030", "2030-01-01T03:00:00Z")]
    public void An_expression_means_what_it_says(string expression, string next)
    {
        Assert.True(_cron.TryParse(expression, "UTC", out var problem), problem);
        Assert.Null(problem);
        Assert.Equal(DateTimeOffset.Parse(next, CultureInfo.InvariantCulture), _cron.Next(expression, "UTC", _thursday));
    }

    [Theory]
    [InlineData("", "UTC", "five fields")]
    [InlineData("0 3 * *", "UTC", "five fields")]
    [InlineData("0 3 * * * * * *", "UTC", "five fields")]
    [InlineData("60 3 * * *", "UTC", "The field minute")]
    [InlineData("0 24 * * *", "UTC", "The field hour")]
    [InlineData("0 22-3 * * *", "UTC", "backwards")]
    [InlineData("0 */0 * * *", "UTC", "The field hour")]
    [InlineData("0 */24 * * *", "UTC", "The field hour")]
    [InlineData("0 3 0 * *", "UTC", "The field day")]
    [InlineData("0 3 32 * *", "UTC", "The field day")]
    [InlineData("0 3 L * *", "UTC", "The field day")]
    [InlineData("0 3 * 13 *", "UTC", "The field month")]
    [InlineData("0 3 * foo *", "UTC", "The field month")]
    [InlineData("0 3 * * 8", "UTC", "The field weekday")]
    [InlineData("0 3 * * 5#2", "UTC", "The field weekday")]
    [InlineData("1--2 * * * *", "UTC", "The field minute")]
    [InlineData("1,,2 * * * *", "UTC", "The field minute")]
    [InlineData("-1 * * * *", "UTC", "The field minute")]
    [InlineData("1/2/3 * * * *", "UTC", "The field minute")]
    [InlineData("١ * * * *", "UTC", "The field minute")]
    [InlineData("0 0 25 * * ?", "UTC", "The field hour")]
    [InlineData("0 0 3 * foo ?", "UTC", "The field month")]
    [InlineData("x 0 3 * * ?", "UTC", "The field second")]
    [InlineData("0 0 3 * * 0", "UTC", "The field weekday")]
    [InlineData("0 0 3 * * ? 12", "UTC", "The field year")]
    [InlineData("0 3 31 2 *", "UTC", "never comes")]
    [InlineData("0 3 30,31 feb *", "UTC", "never comes")]
    [InlineData("0 3 * * *", "", "time zone")]
    [InlineData("0 3 * * *", "Europe/Nowhere", "time zone")]
    [InlineData("0 3 * * *", "../../etc/passwd", "time zone")]
    [InlineData("0 3 * * *", "/usr/share/zoneinfo/UTC", "time zone")]
    public void What_means_nothing_is_refused_with_the_reason(string expression, string timeZone, string reason)
    {
        Assert.False(_cron.TryParse(expression, timeZone, out var problem));
        Assert.Contains(reason, problem, StringComparison.Ordinal);
        Assert.Null(_cron.Next(expression, timeZone, _thursday));
    }

    [Theory]
    // 02:30 is left out on 29 March.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z")]
    // 02:30 comes twice on 25 October.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")]
    [InlineData("0 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:00:00Z")]
    [InlineData("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z")]
    // Half an hour.
    [InlineData("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z")]
    // What runs all day long does not pause for an hour.
    [InlineData("15 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z")]
    public void Changes_of_the_clock_lose_nothing_and_double_nothing(
        string expression, string timeZone, string after, string first, string second)
    {
        var one = _cron.Next(expression, timeZone, DateTimeOffset.Parse(after, CultureInfo.InvariantCulture));
        Assert.Equal(DateTimeOffset.Parse(first, CultureInfo.InvariantCulture), one);
        Assert.Equal(DateTimeOffset.Parse(second, CultureInfo.InvariantCulture), _cron.Next(expression, timeZone, one!.Value));
    }

    [Theory]
    [InlineData("0 12 * * *", "Pacific/Apia", "2011-12-27T00:00:00Z")]
    [InlineData("0 0 * * *", "Africa/Cairo", "2026-04-20T00:00:00Z")]
    [InlineData("30 2 * * *", "America/Sao_Paulo", "2018-11-01T00:00:00Z")]
    public void The_next_is_strictly_after_even_where_a_day_is_left_out(string expression, string timeZone, string start)
    {
        var now = DateTimeOffset.Parse(start, CultureInfo.InvariantCulture);
        for (var i = 0; i < 10; i++)
        {
            var next = _cron.Next(expression, timeZone, now);
            Assert.True(next > now);
            Assert.True(next - now < TimeSpan.FromHours(50));
            now = next.Value;
        }
    }

    [Fact]
    public void The_end_of_time_is_no_accident()
    {
        Assert.Null(_cron.Next("0 3 * * *", "UTC", DateTimeOffset.MaxValue));
        Assert.NotNull(_cron.Next("0 3 * * *", "UTC", DateTimeOffset.MinValue));
    }

    [Fact]
    public void Nonsense_never_throws() => Prop.ForAll(
        Gen.ArrayOf(Gen.Elements("0", "5", "60", "*", "/", "-", ",", " ", "?", "L", "W", "#", "H", "@", "mon", "JAN", "x", "99999999999", "٣", "\0"))
            .Select(string.Concat).ToArbitrary(),
        text => _cron.TryParse(text, "Europe/Berlin", out var problem) == problem is null
            && _cron.Next(text, "Europe/Berlin", _thursday) is null or { Offset.Ticks: 0 })
        .Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void Five_fields_mean_what_a_naive_reading_says() => Prop.ForAll(
        (from minute in FieldOf(0, 59)
         from hour in FieldOf(0, 23)
         from day in FieldOf(1, 31)
         from month in FieldOf(1, 12)
         from weekday in FieldOf(0, 7)
         from start in Gen.Choose(0, 60 * 24 * 800)
         select (Fields: new[] { minute, hour, day, month, weekday }, Start: _thursday.AddMinutes(start).AddSeconds(start % 60)))
        .ToArbitrary(),
        test =>
        {
            var expression = string.Join(' ', test.Fields);
            if (!_cron.TryParse(expression, "UTC", out var problem))
            {
                return problem.Contains("never comes", StringComparison.Ordinal) && NaiveNext(test.Fields, test.Start) is null;
            }

            var next = _cron.Next(expression, "UTC", test.Start);
            return next > test.Start && NaiveNext(test.Fields, test.Start) is { } naive && next == naive;
        })
        .Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    private static Gen<string> FieldOf(int least, int most)
    {
        var value = Gen.Choose(least, most);
        var item = Gen.OneOf(
            Gen.Constant("*"),
            Gen.Constant("*"),
            value.Select(v => $"{v}"),
            from a in value from b in value select $"{Math.Min(a, b)}-{Math.Max(a, b)}",
            from step in Gen.Choose(1, most) select $"*/{step}",
            from a in value from b in value from step in Gen.Choose(1, most) select $"{Math.Min(a, b)}-{Math.Max(a, b)}/{step}");
        return Gen.OneOf(item, item, from a in item from b in item select $"{a},{b}");
    }

    /// <summary>Minute by minute, day by day where the day does not fit, for five years.</summary>
    private static DateTimeOffset? NaiveNext(string[] fields, DateTimeOffset after)
    {
        var now = new DateTimeOffset(after.Ticks - (after.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero).AddMinutes(1);
        var end = now.AddYears(9);
        while (now < end)
        {
            if (!Fits(fields[3], now.Month, 1, 12) || !FitsDay(fields, now))
            {
                now = new DateTimeOffset(now.Date.AddDays(1), TimeSpan.Zero);
            }
            else if (Fits(fields[1], now.Hour, 0, 23) && Fits(fields[0], now.Minute, 0, 59))
            {
                return now;
            }
            else
            {
                now = now.AddMinutes(1);
            }
        }

        return null;
    }

    private static bool FitsDay(string[] fields, DateTimeOffset now)
    {
        var day = Fits(fields[2], now.Day, 1, 31);
        var weekday = Fits(fields[4], (int)now.DayOfWeek, 0, 7) || (now.DayOfWeek == DayOfWeek.Sunday && Fits(fields[4], 7, 0, 7));
        return (fields[2], fields[4]) switch
        {
            ("*", _) => weekday,
            (_, "*") => day,
            _ => day || weekday,
        };
    }

    private static bool Fits(string field, int value, int least, int most) => field.Split(',').Any(item =>
    {
        var parts = item.Split('/');
        var ends = parts[0] == "*" ? [least, most] : parts[0].Split('-').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray();
        var step = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 1;
        return value >= ends[0] && value <= ends[^1] && (value - ends[0]) % step == 0;
    });
}
