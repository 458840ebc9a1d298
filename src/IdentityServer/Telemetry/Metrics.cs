using System.Diagnostics.Metrics;

namespace IdentityServer.Telemetry;

/// <summary>What the server counts, for whoever listens to the meter <c>IdentityServer</c>.</summary>
internal static class Metrics
{
    private static readonly Meter Meter = new("IdentityServer");

    /// <summary>Runs of jobs on this node, by <c>job</c> and <c>outcome</c>.</summary>
    public static Counter<long> Jobs { get; } = Meter.CreateCounter<long>("identity_jobs_total", description: "Runs of jobs.");
}
