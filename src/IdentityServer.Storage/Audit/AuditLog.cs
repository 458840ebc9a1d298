using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Audit;

internal sealed class AuditLog(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IAuditLog
{
    public const int ShortLength = 64;
    public const int LongLength = 400;

    private const int LargestPart = 100;

    /// <summary>
    /// The event with every text cut to its column: a refusal may name what a stranger sent, and must be recorded, not fail.
    /// </summary>
    public static AuditEvent Bounded(AuditEvent audit) => audit with
    {
        Type = BoundedText.Cut(audit.Type, ShortLength),
        Actor = BoundedText.Cut(audit.Actor, LongLength),
        Subject = BoundedText.Cut(audit.Subject, ShortLength),
        ClientId = BoundedText.Cut(audit.ClientId, LongLength),
        SessionId = BoundedText.Cut(audit.SessionId, ShortLength),
        GrantId = BoundedText.Cut(audit.GrantId, ShortLength),
        Address = BoundedText.Cut(audit.Address, ShortLength),
        Outcome = BoundedText.Cut(audit.Outcome, ShortLength),
        Detail = BoundedText.Cut(audit.Detail, LongLength),
    };

    public async ValueTask WriteAsync(IReadOnlyList<AuditEvent> events, CancellationToken ct)
    {
        // By hand, because counts of issuance are written for as long as a server runs; in parts, because parameters are limited.
        foreach (var part in events.Chunk(LargestPart))
        {
            var deed = new ConditionalDeed(AuditStatements.Insert, [.. Enumerable.Repeat(AuditStatements.Insert, part.Length - 1)]);
            await deeds.DecideAsync(deed, [.. part.SelectMany(AuditStatements.Values)], ct);
        }
    }

    public async ValueTask<IReadOnlyList<AuditEvent>> LatestAsync(int count, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.AuditEvents.AsNoTracking()
            .OrderByDescending(audit => EF.Property<long>(audit, AuditMapping.Id))
            .Take(count)
            .ToListAsync(ct);
    }

    public async ValueTask<IReadOnlyList<AuditEvent>> OfGrantAsync(string grantId, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.AuditEvents.AsNoTracking()
            .Where(audit => audit.GrantId == grantId)
            .OrderBy(audit => EF.Property<long>(audit, AuditMapping.Id))
            .ToListAsync(ct);
    }
}
