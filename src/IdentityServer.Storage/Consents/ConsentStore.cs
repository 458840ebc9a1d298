using System.Data;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Consents;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Consents;

internal sealed class ConsentStore(IStatements statements, IDeeds deeds) : IConsentStore
{
    private static readonly Statement One = new(
        """SELECT "Scopes", "GivenAt" FROM "Consents" WHERE "Subject" = @Subject AND "ClientId" = @ClientId""",
        ("Subject", DbType.AnsiString),
        ("ClientId", DbType.AnsiString));

    public ValueTask<Consent?> FindAsync(string subject, string clientId, CancellationToken ct) => statements.FirstAsync(
        One, [subject, clientId], reader => new Consent(subject, clientId, reader.List(0), reader.Instant(1)), ct);

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
