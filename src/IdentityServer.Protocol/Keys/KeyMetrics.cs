using System.Diagnostics.Metrics;

namespace IdentityServer.Protocol.Keys;

/// <summary>What is counted about keys, on the meter <c>IdentityServer</c> (docs/keys.md).</summary>
public static class KeyMetrics
{
    private static readonly Meter Meter = new("IdentityServer");

    private static readonly Counter<long> Signatures =
        Meter.CreateCounter<long>("identity_signatures_total", "{signature}", "Tokens signed, by kid.");

    private static readonly Counter<long> UnknownKids =
        Meter.CreateCounter<long>("identity_unknown_kid_total", "{token}", "Tokens presented to us whose kid is not published.");

    internal static void Signed(string kid, long count) => Signatures.Add(count, new KeyValuePair<string, object?>("kid", kid));

    internal static void UnknownKidPresented() => UnknownKids.Add(1);
}
