using IdentityServer.Protocol.Audit;

namespace IdentityServer.Playground;

/// <summary>What the server recorded of one grant, oldest first.</summary>
internal sealed record GrantTimeline(IReadOnlyList<GrantTimelineEvent> Events);

/// <summary>An audit event without what the page has no use for: addresses and identifiers.</summary>
internal sealed record GrantTimelineEvent(string Type, DateTimeOffset At, string Actor, string Outcome, string? Detail)
{
    public static GrantTimelineEvent Of(AuditEvent audit) => new(audit.Type, audit.At, Kind(audit.Actor), audit.Outcome, audit.Detail);

    // user:8f0c… is no more telling than user.
    private static string Kind(string actor) => actor.StartsWith("user:", StringComparison.Ordinal) ? "user" : actor;
}
