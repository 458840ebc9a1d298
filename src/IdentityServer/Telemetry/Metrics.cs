using System.Diagnostics.Metrics;

namespace IdentityServer.Telemetry;

/// <summary>What the server counts, for whoever listens to the meter <c>IdentityServer</c>.</summary>
internal static class Metrics
{
    private static readonly Meter Meter = new("IdentityServer");

    /// <summary>Runs of jobs on this node, by <c>job</c> and <c>outcome</c>.</summary>
    public static Counter<long> Jobs { get; } = Meter.CreateCounter<long>("identity_jobs_total", description: "Runs of jobs.");

    /// <summary>Sign-ins, by <c>result</c> (ok, refused, throttled, busy) and <c>method</c> (password, mfa, passkey).</summary>
    public static Counter<long> SignIns { get; } = Meter.CreateCounter<long>("identity_logins_total", description: "Sign-ins.");

    /// <summary>Second factors, by <c>type</c> (otp, recovery, passkey) and <c>result</c> (ok, refused, throttled).</summary>
    public static Counter<long> Factors { get; } = Meter.CreateCounter<long>("identity_mfa_total", description: "Second factors.");

    /// <summary>Attempts to send a mail, by <c>kind</c> and <c>result</c>.</summary>
    public static Counter<long> Mail { get; } = Meter.CreateCounter<long>("identity_mail_total", description: "Attempts to send a mail.");

    /// <summary>Attempts to tell clients that sessions ended, by <c>result</c> (delivered, failed, dead).</summary>
    public static Counter<long> LogoutNotices { get; } =
        Meter.CreateCounter<long>("identity_logout_notices_total", description: "Attempts to tell a client that a session ended.");

    /// <summary>From the ending to the client's word.</summary>
    public static Histogram<double> LogoutDelay { get; } =
        Meter.CreateHistogram<double>("identity_logout_delay_seconds", "s", "Until a client had been told that a session ended.");
}
