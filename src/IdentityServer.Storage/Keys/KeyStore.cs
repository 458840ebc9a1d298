using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Keys;

internal sealed class KeyStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IKeyStore
{
    public async ValueTask<IReadOnlyList<SigningKey>> ListAsync(CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.SigningKeys.AsNoTracking()
            .OrderBy(key => key.ActiveFrom)
            .ThenBy(key => key.Kid)
            .ToListAsync(ct);
    }

    public async ValueTask<bool> AddAsync(SigningKey key, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    db.SigningKeys.Add(key);
                    db.Announce(ChangeKind.Key, key.Kid, audit.At);
                    db.Record(audit);
                    await db.SaveChangesAsync(ct);
                    return true;
                },
                ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            return false;
        }
    }
}
