using System.Globalization;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Admin;

/// <summary>How much time the picture shows.</summary>
internal enum DrawnSpan
{
    TenDays,
    ThreeMonths,
    OneYear,
}

/// <summary>
/// The timeline of the keys, ready to be drawn: positions along time in percent, so that one picture fits every width; down the page in
/// pixels. The page writes it as it stands.
/// </summary>
internal sealed class KeyDrawing
{
    private const int Top = 64;
    private const int RowHeight = 48;
    private const int BarHeight = 18;

    // Of text beside text, in percent of the narrowest picture; letters of Chinese are twice as wide.
    private const double LetterWidth = .88;

    private readonly KeyWords _words;

    public KeyDrawing(KeySituation situation, DrawnSpan span, KeyWords words)
    {
        _words = words;
        var now = situation.Now;
        var day = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        (From, To) = span switch
        {
            DrawnSpan.TenDays => (day.AddDays(-3), day.AddDays(7)),
            DrawnSpan.ThreeMonths => (day.AddDays(-30), day.AddDays(61)),
            _ => (FirstOfMonth(day).AddMonths(-4), FirstOfMonth(day).AddMonths(8)),
        };
        NowX = X(now);
        Ticks = [.. TicksOf(span)];

        var y = Top;
        var lanes = new List<Lane>();
        foreach (var algorithm in KeyFactory.Algorithms)
        {
            var lives = KeyLife.Of(situation, algorithm)
                .Where(life => life.Windows.Any(window => window.From < To && (window.To ?? To) > From && IsWorthDrawing(window)))
                .TakeLast(5)
                .ToArray();
            if (lives.Length > 0)
            {
                lanes.Add(Draw(situation, algorithm, lives, y));
                y = lanes[^1].Bottom + 14;
            }
        }

        Lanes = lanes;
        Height = y;
    }

    public DateTimeOffset From { get; }

    public DateTimeOffset To { get; }

    public string NowX { get; }

    public int Height { get; }

    public IReadOnlyList<(string X, string Text)> Ticks { get; }

    public IReadOnlyList<Lane> Lanes { get; }

    // Retired long before: the dots alone say nothing.
    private bool IsWorthDrawing(KeyWindow window) => window.State != KeyState.Retired || window.From > From;

    private Lane Draw(KeySituation situation, string algorithm, KeyLife[] lives, int y)
    {
        var rows = new List<Row>();
        var top = y;
        y += 24;
        for (var i = 0; i < lives.Length; i++)
        {
            rows.Add(Draw(situation, algorithm, lives[i], y, i % 2 == 0 ? "a" : "b"));
            y += RowHeight;
        }

        var title = _words.Algorithm(algorithm);
        var change = situation.TimelineOf(algorithm).PendingAt(situation.Now)?.At ?? situation.NextPlanned(algorithm)?.At;
        Label? head = null;
        if (change is { } at && at >= From && at < To)
        {
            var text = _words.Rollover(at, situation.Now);
            var (x, width) = (Percent(at), WidthOf(text));
            head = x + width < 99 ? new Label(Text(x), "start", 6, text, false)
                : x - width > WidthOf(title) * 1.3 ? new Label(Text(x), "end", -6, text, false)
                : null;
        }

        return new Lane(top, y, title, change is { } when && when >= From && when < To ? X(when) : null, head, rows);
    }

    private Row Draw(KeySituation situation, string algorithm, KeyLife life, int y, string hue)
    {
        var bars = new List<Bar>();
        var labels = new List<Label>();
        var free = -1.0;
        var isNamed = false;
        foreach (var window in life.Windows.Where(window => window.From < To && (window.To ?? To) > From))
        {
            var (from, to) = (Math.Max(0, Percent(window.From)), Math.Min(100, Percent(window.To ?? To)));
            bars.Add(new Bar(
                window.State == KeyState.Active && (life.Entry is null or { IsHeld: true }) ? "planned" : window.State.ToString().ToLowerInvariant(),
                Text(from),
                Text(Math.Max(to - from, .15)),
                Text(to)));

            // What it is now stands beside its name; later states where they begin, as far as there is room.
            var kid = isNamed ? "" : life.Entry is { } entry ? KeyWords.Short(entry.Key.Kid) : _words.Planned;
            var told = isNamed ? window : life.At(situation.Now) ?? (life.Entry is null ? life.Windows[^1] : window);
            if (isNamed && (window.From <= situation.Now || life.Entry is null))
            {
                continue;
            }

            var text = _words.Window(told, life.Entry, situation.Now);
            var width = WidthOf(kid.Length > 0 ? $"{kid} {text}" : text);
            var x = Math.Max(from, free);
            if (x + width <= 100 && (!isNamed || x - from < 3))
            {
                labels.Add(new Label(Text(x), "start", 0, text, false) { Kid = kid.Length > 0 ? kid : null });
                free = x + width + 1.5;
                isNamed = true;
            }
            else if (!isNamed && 100 - width > free)
            {
                labels.Add(new Label("100%", "end", 0, text, false) { Kid = kid });
                free = 100;
                isNamed = true;
            }
        }

        var announced = life.Windows.FirstOrDefault(window => window.State == KeyState.Announced);
        var seen = life.Entry is { } known && announced is not null
            ? situation.Fetches
                .Where(fetch => fetch.Kid == known.Key.Kid && fetch.FirstAt >= From && fetch.FirstAt < To && fetch.FirstAt <= (announced.To ?? To))
                .Select(fetch => X(fetch.FirstAt))
                .Distinct(StringComparer.Ordinal)
                .Take(60)
                .ToArray()
            : [];
        return new Row(y, y + 22, BarHeight, hue, bars, labels, seen);
    }

    private IEnumerable<(string X, string Text)> TicksOf(DrawnSpan span)
    {
        for (var at = From; at < To; at = span switch
        {
            DrawnSpan.TenDays => at.AddDays(1),
            DrawnSpan.ThreeMonths => at.AddDays(7),
            _ => at.AddMonths(1),
        })
        {
            yield return (X(at), _words.Tick(at, span));
        }
    }

    private static DateTimeOffset FirstOfMonth(DateTimeOffset day) => new(day.Year, day.Month, 1, 0, 0, 0, TimeSpan.Zero);

    private static double WidthOf(string text) => text.Sum(letter => letter > 0x2e80 ? 2 : 1) * LetterWidth;

    private double Percent(DateTimeOffset at) => (at - From) / (To - From) * 100;

    private string X(DateTimeOffset at) => Text(Percent(at));

    private static string Text(double percent) => percent.ToString("0.###", CultureInfo.InvariantCulture) + "%";

    /// <summary>The keys of one algorithm.</summary>
    /// <param name="Y">Where it begins.</param>
    /// <param name="Bottom">Where it ends.</param>
    /// <param name="Title">What is signed with them.</param>
    /// <param name="ChangeX">The next rollover, if it is in the picture.</param>
    /// <param name="Change">What is written beside it.</param>
    /// <param name="Rows">A row for each key.</param>
    internal sealed record Lane(int Y, int Bottom, string Title, string? ChangeX, Label? Change, IReadOnlyList<Row> Rows);

    /// <summary>One key.</summary>
    internal sealed record Row(
        int Y, int BarY, int BarHeight, string Hue, IReadOnlyList<Bar> Bars, IReadOnlyList<Label> Labels, IReadOnlyList<string> Seen)
    {
        public int MiddleY => BarY + (BarHeight / 2);
    }

    /// <summary>What a key is for a while.</summary>
    internal sealed record Bar(string State, string X, string Width, string EndX);

    internal sealed record Label(string X, string Anchor, int Shift, string Text, bool IsStrong)
    {
        /// <summary>The key's name, before the text.</summary>
        public string? Kid { get; init; }
    }
}
