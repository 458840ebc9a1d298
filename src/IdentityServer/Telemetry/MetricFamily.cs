using System.Diagnostics.Metrics;

namespace IdentityServer.Telemetry;

/// <summary>
/// What one instrument has measured, a series for each set of labels. Recording allocates nothing once a series is there: this happens on
/// the way of every token.
/// </summary>
internal sealed class MetricFamily
{
    /// <summary>Labels are bounded here by construction; one that is not must not fill the memory.</summary>
    public const int MaxSeries = 1000;

    // As Prometheus' own clients have them, for instruments that advise nothing.
    private static readonly double[] CommonBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _gate = new();
    private readonly double[]? _bounds;
    private readonly bool _adds;
    private volatile Series[] _series = [];

    public MetricFamily(Instrument instrument)
    {
        var type = instrument.GetType();
        var kind = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        IsObservable = instrument.IsObservable;
        _adds = kind == typeof(Counter<>) || kind == typeof(UpDownCounter<>);
        Type = kind == typeof(Histogram<>) ? "histogram" : kind == typeof(Counter<>) || kind == typeof(ObservableCounter<>) ? "counter" : "gauge";
        _bounds = kind == typeof(Histogram<>)
            ? (instrument as Instrument<double>)?.Advice?.HistogramBucketBoundaries?.ToArray() ?? CommonBuckets
            : null;
        Name = NameOf(instrument, Type);
        Help = instrument.Description ?? "";
    }

    /// <summary>As Prometheus wants it: with the unit, and with <c>_total</c> when it counts.</summary>
    public string Name { get; }

    /// <summary><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</summary>
    public string Type { get; }

    public string Help { get; }

    /// <summary>It is asked when somebody looks, and tells all that it has to tell then.</summary>
    public bool IsObservable { get; }

    public IReadOnlyList<Series> All => _series;

    /// <summary>Upper bounds of a histogram's buckets, without the last, which has none.</summary>
    public IReadOnlyList<double> Bounds => _bounds ?? [];

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        if (Find(labels) is not { } series)
        {
            return;
        }

        lock (series)
        {
            if (_bounds is not null)
            {
                var bucket = 0;
                while (bucket < _bounds.Length && value > _bounds[bucket])
                {
                    bucket++;
                }

                series.Buckets[bucket]++;
                series.Count++;
            }

            series.Value = _adds || _bounds is not null ? series.Value + value : value;
        }
    }

    /// <summary>Before an instrument is asked again: what it does not tell any more is gone.</summary>
    public void Clear() => _series = [];

    private Series? Find(ReadOnlySpan<KeyValuePair<string, object?>> labels)
    {
        foreach (var series in _series)
        {
            if (series.Has(labels))
            {
                return series;
            }
        }

        lock (_gate)
        {
            foreach (var series in _series)
            {
                if (series.Has(labels))
                {
                    return series;
                }
            }

            if (_series.Length == MaxSeries)
            {
                return null;
            }

            var added = new Series(labels.ToArray(), (_bounds?.Length ?? 0) + 1);
            _series = [.. _series, added];
            return added;
        }
    }

    private static string NameOf(Instrument instrument, string type)
    {
        var name = Safe(instrument.Name);
        var unit = instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",
        };
        if (unit.Length > 0 && !name.EndsWith(unit, StringComparison.Ordinal) && !name.EndsWith(unit + "_total", StringComparison.Ordinal))
        {
            name += unit;
        }

        return type == "counter" && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    /// <summary>Letters, digits and underscores: what metrics and labels may be called.</summary>
    internal static string Safe(string name) =>
        string.Create(name.Length, name, static (safe, name) =>
        {
            for (var i = 0; i < name.Length; i++)
            {
                safe[i] = char.IsAsciiLetter(name[i]) || (i > 0 && char.IsAsciiDigit(name[i])) ? name[i] : '_';
            }
        });

    /// <summary>One set of labels. Whoever reads the figures locks it.</summary>
    internal sealed class Series(KeyValuePair<string, object?>[] labels, int buckets)
    {
        public IReadOnlyList<KeyValuePair<string, object?>> Labels { get; } = labels;

        /// <summary>The count, the level, or the sum of a histogram.</summary>
        public double Value { get; set; }

        /// <summary>How many values a histogram has seen.</summary>
        public long Count { get; set; }

        /// <summary>How many of them fell into each bucket, not counting lower ones.</summary>
        public long[] Buckets { get; } = new long[buckets];

        public bool Has(ReadOnlySpan<KeyValuePair<string, object?>> others)
        {
            if (others.Length != labels.Length)
            {
                return false;
            }

            for (var i = 0; i < labels.Length; i++)
            {
                if (!string.Equals(labels[i].Key, others[i].Key, StringComparison.Ordinal) || !Equals(labels[i].Value, others[i].Value))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
