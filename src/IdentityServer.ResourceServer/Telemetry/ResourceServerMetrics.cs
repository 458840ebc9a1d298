using System.Diagnostics.Metrics;
using IdentityServer.ResourceServer.Revocations;

namespace IdentityServer.ResourceServer.Telemetry;

/// <summary>What is counted, on the meter <c>IdentityServer.ResourceServer</c>.</summary>
internal sealed class ResourceServerMetrics
{
    public const string MeterName = "IdentityServer.ResourceServer";

    private readonly Counter<long> _revokedPresented;
    private readonly Counter<long> _keyFetches;
    private readonly Histogram<double> _lag;

    public ResourceServerMetrics(IMeterFactory meters, FeedState feed, EndedTokens ended)
    {
        var meter = meters.Create(MeterName);
        _revokedPresented = meter.CreateCounter<long>("identity_api_revoked_presented_total", "{token}", "Revoked tokens that were presented, by kind.");
        _keyFetches = meter.CreateCounter<long>("identity_api_jwks_refreshes_total", "{fetch}", "Fetches of the issuer's keys, by trigger and result.");
        _lag = meter.CreateHistogram<double>("identity_api_feed_lag_seconds", "s", "From an ending to its arrival here.");
        meter.CreateObservableGauge(
            "identity_api_feed_silence_seconds", () => feed.Silence.TotalSeconds, "s", "How long ago everything that has ended was known.");
        meter.CreateObservableGauge("identity_api_revocations_remembered", () => ended.Count, "{revocation}", "Revocations in memory.");
    }

    public void RevokedPresented(string kind) => _revokedPresented.Add(1, new KeyValuePair<string, object?>("kind", kind));

    public void KeysFetched(string trigger, bool succeeded) => _keyFetches.Add(
        1, new KeyValuePair<string, object?>("trigger", trigger), new KeyValuePair<string, object?>("result", succeeded ? "ok" : "failed"));

    public void Told(TimeSpan lag) => _lag.Record(Math.Max(0, lag.TotalSeconds));
}
