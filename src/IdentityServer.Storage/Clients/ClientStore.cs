using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Clients;

internal sealed class ClientStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IClientStore
{
    public async ValueTask<Client?> FindAsync(string clientId, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(clientId))
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Clients.AsNoTracking().FirstOrDefaultAsync(client => client.Id == clientId, ct);
    }

    public async ValueTask<IReadOnlyList<Client>> ListAsync(CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Clients.AsNoTracking().OrderBy(client => client.Id).ToListAsync(ct);
    }

    public async ValueTask<bool> AddAsync(Client client, AuditEvent audit, CancellationToken ct)
    {
        Identifiers.Require(client.Id);
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    db.Clients.Add(client);
                    db.Announce(ChangeKind.Client, client.Id, audit.At);
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

    public async ValueTask<bool> UpdateAsync(Client client, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    // The version as read is the one the row must still have; the one stored is the next.
                    var entry = db.Clients.Update(client with { Version = client.Version + 1 });
                    entry.Property(row => row.Version).OriginalValue = client.Version;
                    entry.Property(row => row.CreatedAt).IsModified = false;
                    db.Announce(ChangeKind.Client, client.Id, audit.At);
                    db.Record(audit);
                    await db.SaveChangesAsync(ct);
                    return true;
                },
                ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            return false;
        }
    }

    public async ValueTask<bool> RemoveAsync(string clientId, AuditEvent audit, CancellationToken ct) =>
        Identifiers.IsPossible(clientId) && await deeds.RunAsync(
            async (db, ct) =>
            {
                if (await db.Clients.Where(client => client.Id == clientId).ExecuteDeleteAsync(ct) == 0)
                {
                    return false;
                }

                DateTimeOffset? at = audit.At;
                await db.Grants.Where(grant => grant.ClientId == clientId && grant.EndedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(grant => grant.EndedAt, at), ct);
                await db.Tokens.Where(token => token.ClientId == clientId && token.GrantId == null && token.EndedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(token => token.EndedAt, at), ct);
                await db.Consents.Where(consent => consent.ClientId == clientId).ExecuteDeleteAsync(ct);
                db.Announce(ChangeKind.Client, clientId, audit.At);
                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);
}
