using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace IdentityServer.Telemetry;

/// <summary>
/// Listens to the meters of this process and writes down what they told, in the text format of Prometheus (version 0.0.4). There is none
/// unless somebody may read it: an instrument that nobody listens to costs nothing.
/// </summary>
internal sealed class MetricsPage : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    // Not Npgsql's: a label of it is the connection string.
    private static readonly FrozenSet<string> Meters = FrozenSet.Create(
        StringComparer.Ordinal, "IdentityServer", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime");

    private readonly Lock _oneAtATime = new();
    private readonly ConcurrentDictionary<Instrument, MetricFamily> _families = new();
    private readonly MeterListener _listener = new();

    public MetricsPage()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (Meters.Contains(instrument.Meter.Name))
            {
                listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument, static published => new(published)));
            }
        };
        _listener.MeasurementsCompleted = (instrument, _) => _families.TryRemove(instrument, out var _);
        _listener.SetMeasurementEventCallback<byte>((_, value, labels, family) => ((MetricFamily)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<short>((_, value, labels, family) => ((MetricFamily)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<int>((_, value, labels, family) => ((MetricFamily)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<long>((_, value, labels, family) => ((MetricFamily)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<float>((_, value, labels, family) => ((MetricFamily)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<double>((_, value, labels, family) => ((MetricFamily)family!).Record(value, labels));
        _listener.SetMeasurementEventCallback<decimal>((_, value, labels, family) => ((MetricFamily)family!).Record((double)value, labels));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>All that has been measured so far.</summary>
    public string Write()
    {
        lock (_oneAtATime)
        {
            foreach (var family in _families.Values.Where(family => family.IsObservable))
            {
                family.Clear();
            }

            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // A gauge that cannot tell is missed by itself; the others have told, and are wanted all the more.
            }

            var text = new StringBuilder();
            foreach (var same in _families.Values.GroupBy(family => family.Name).OrderBy(group => group.Key, StringComparer.Ordinal))
            {
                Write(text, [.. same]);
            }

            return text.ToString();
        }
    }

    // Several meters may have an instrument of one name; what they tell under the same labels is one series.
    private static void Write(StringBuilder text, MetricFamily[] families)
    {
        var (name, type) = (families[0].Name, families[0].Type);
        var series = new SortedDictionary<string, Figures>(StringComparer.Ordinal);
        foreach (var family in families.Where(family => family.Type == type))
        {
            foreach (var one in family.All)
            {
                var labels = LabelsOf(one);
                series[labels] = Figures.Of(family, one).Plus(type == "gauge" ? null : series.GetValueOrDefault(labels));
            }
        }

        if (series.Count == 0)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {Escape(families[0].Help, isLabel: false)}\n");
        text.Append(CultureInfo.InvariantCulture, $"# TYPE {name} {type}\n");
        foreach (var (labels, figures) in series)
        {
            if (type != "histogram")
            {
                text.Append(CultureInfo.InvariantCulture, $"{name}{Braced(labels)} {Number(figures.Value)}\n");
                continue;
            }

            long upTo = 0;
            for (var i = 0; i < figures.Buckets.Length; i++)
            {
                upTo += figures.Buckets[i];
                var bound = i < figures.Bounds.Count ? Number(figures.Bounds[i]) : "+Inf";
                text.Append(CultureInfo.InvariantCulture, $"{name}_bucket{Braced($"{labels}{(labels.Length > 0 ? "," : "")}le=\"{bound}\"")} {upTo}\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"{name}_sum{Braced(labels)} {Number(figures.Value)}\n");
            text.Append(CultureInfo.InvariantCulture, $"{name}_count{Braced(labels)} {figures.Count}\n");
        }
    }

    private static string LabelsOf(MetricFamily.Series series) => string.Join(',', series.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label =>
        $"{MetricFamily.Safe(label.Key)}=\"{Escape(Convert.ToString(label.Value, CultureInfo.InvariantCulture) ?? "", isLabel: true)}\""));

    private static string Braced(string labels) => labels.Length == 0 ? "" : $"{{{labels}}}";

    private static string Escape(string text, bool isLabel)
    {
        text = text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\n", @"\n", StringComparison.Ordinal);
        return isLabel ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private sealed record Figures(double Value, long Count, long[] Buckets, IReadOnlyList<double> Bounds)
    {
        public static Figures Of(MetricFamily family, MetricFamily.Series series)
        {
            lock (series)
            {
                return new(series.Value, series.Count, [.. series.Buckets], family.Bounds);
            }
        }

        public Figures Plus(Figures? other) => other is null || other.Buckets.Length != Buckets.Length
            ? this
            : new(Value + other.Value, Count + other.Count, [.. Buckets.Zip(other.Buckets, (one, another) => one + another)], Bounds);
    }
}
