using System.Diagnostics.Metrics;

namespace IdentityServer.Protocol.Revocations;

/// <summary>What is measured about endings, on the meter <c>IdentityServer</c> (docs/revocation.md).</summary>
public static class RevocationMetrics
{
    private static readonly Meter Meter = new("IdentityServer");

    // A node looks every 400 ms, and at once when the doorbell rings; the promise is a second.
    private static readonly InstrumentAdvice<double> Buckets = new()
    {
        HistogramBucketBoundaries = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10],
    };

    private static readonly Histogram<double> Propagation = Meter.CreateHistogram(
        "identity_revocation_propagation_seconds", "s", "From an ending at another node to its refusal at this one.", advice: Buckets);

    private static readonly Counter<long> Presented = Meter.CreateCounter<long>(
        "identity_revoked_presented_total", "{token}", "Tokens that had ended and were presented all the same, by kind.");

    // Between two clocks, so it may come out below nothing.
    internal static void Arrived(Revocation revocation, DateTimeOffset now) =>
        Propagation.Record(Math.Max(0, (now - revocation.At).TotalSeconds));

    /// <param name="kind"><c>access</c>, <c>refresh</c> or <c>code</c>.</param>
    internal static void WasPresented(string kind) => Presented.Add(1, new KeyValuePair<string, object?>("kind", kind));
}
