using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Consents;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Consents;

internal sealed class ConsentStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IConsentStore
{
    public async ValueTask<Consent?> FindAsync(string subject, string clientId, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Consents.AsNoTracking()
            .FirstOrDefaultAsync(consent => consent.Subject == subject && consent.ClientId == clientId, ct);
    }

    public async ValueTask SaveAsync(Consent consent, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            await ReplaceAsync(consent, audit, ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // Two tabs answered at once and the other's row came between; now there is one to replace.
            await ReplaceAsync(consent, audit, ct);
        }
    }

    private Task<int> ReplaceAsync(Consent consent, AuditEvent audit, CancellationToken ct) =>
        deeds.RunAsync(
            async (db, ct) =>
            {
                var replaced = await db.Consents
                    .Where(row => row.Subject == consent.Subject && row.ClientId == consent.ClientId)
                    .ExecuteUpdateAsync(
                        set => set
                            .SetProperty(row => row.Scopes, consent.Scopes)
                            .SetProperty(row => row.GivenAt, consent.GivenAt),
                        ct);
                if (replaced == 0)
                {
                    db.Consents.Add(consent);
                }

                db.Record(audit);
                return await db.SaveChangesAsync(ct);
            },
            ct);
}
