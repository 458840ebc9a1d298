using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Revocations;

/// <summary>What was ended, by whom and why: written with the ending, and the place to look up how far it has got since.</summary>
public sealed record Receipt
{
    public required string Id { get; init; }

    /// <summary>When it ended.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What kind of thing.</summary>
    public required RevocationKind Kind { get; init; }

    /// <summary>The <c>jti</c>, <c>gid</c>, <c>sid</c>, <c>sub</c>, <c>client_id</c>, <c>kid</c>, or <see cref="Revocation.Everyone"/>.</summary>
    public required string Key { get; init; }

    /// <summary>Whose it was; <see langword="null"/>: nobody's or many people's.</summary>
    public string? Subject { get; init; }

    public string? ClientId { get; init; }

    public string? SessionId { get; init; }

    /// <summary>A fixed word, as <see cref="Cause.Reason"/>.</summary>
    public required string Reason { get; init; }

    /// <summary>What the person who ended it wrote for the record.</summary>
    public string? Note { get; init; }

    /// <summary>As <see cref="AuditEvent.Actor"/>.</summary>
    public required string Actor { get; init; }

    /// <summary>Of a cutoff: its number. 0 for the other kinds.</summary>
    public long Epoch { get; init; }

    /// <summary>Of a person's cutoff: the session that went on.</summary>
    public string? ExceptSessionId { get; init; }

    /// <summary>Of a session: the grants that outlive a sign-out ended too.</summary>
    public bool AlsoOffline { get; init; }

    /// <summary>
    /// Until when an API that neither asks nor follows the revocation feed may still accept a self-contained token that was issued before;
    /// <see cref="At"/> when there is no such token. Of a key: until when one that keeps key sets may accept what it signs.
    /// </summary>
    public required DateTimeOffset ExposedUntil { get; init; }

    /// <summary>The row of the change log that told the nodes: one that has read so far refuses what ended.</summary>
    public long Sequence { get; init; }

    /// <summary>When the logout notices for clients had been queued; <see langword="null"/>: not yet, or there is no session to tell of.</summary>
    public DateTimeOffset? NotifiedAt { get; init; }
}

/// <summary>What is written with an ending.</summary>
/// <param name="Audit">Tells of it.</param>
/// <param name="Receipt">Tells how far it has got.</param>
public sealed record Ending(AuditEvent Audit, Receipt Receipt);

/// <summary>What is written when a signing key is taken back.</summary>
/// <param name="Revocation">Of the kind <see cref="RevocationKind.Key"/>.</param>
/// <param name="Receipt">Tells how far it has got.</param>
public sealed record KeyEnding(Revocation Revocation, Receipt Receipt);
