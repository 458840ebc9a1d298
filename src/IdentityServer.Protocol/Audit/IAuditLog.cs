namespace IdentityServer.Protocol.Audit;

/// <summary>For events that belong to no other deed: refusals, and batches of issuance without state change.</summary>
public interface IAuditLog
{
    ValueTask WriteAsync(IReadOnlyList<AuditEvent> events, CancellationToken ct);

    /// <summary>The newest <paramref name="count"/> events, newest first.</summary>
    ValueTask<IReadOnlyList<AuditEvent>> LatestAsync(int count, CancellationToken ct);

    /// <summary>Everything recorded for one grant, oldest first.</summary>
    ValueTask<IReadOnlyList<AuditEvent>> OfGrantAsync(string grantId, CancellationToken ct);
}
