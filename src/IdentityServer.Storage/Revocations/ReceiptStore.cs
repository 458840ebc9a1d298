using System.Globalization;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Changes;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Revocations;

internal sealed class ReceiptStore(IDbContextFactory<ServerDb> databases) : IReceiptStore
{
    public async ValueTask<Receipt?> FindAsync(string receiptId, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(receiptId, Identifiers.IdLength))
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Receipts.AsNoTracking().SingleOrDefaultAsync(receipt => receipt.Id == receiptId, ct);
    }

    public async ValueTask<IReadOnlyList<Receipt>> ListAsync(Receipt? before, int count, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        var receipts = db.Receipts.AsNoTracking();
        if (before is not null)
        {
            receipts = receipts.Where(
                receipt => receipt.At < before.At || (receipt.At == before.At && receipt.Id.CompareTo(before.Id) < 0));
        }

        return await receipts
            .OrderByDescending(receipt => receipt.At).ThenByDescending(receipt => receipt.Id)
            .Take(count)
            .ToListAsync(ct);
    }

    public async ValueTask<Died> CountAsync(Receipt receipt, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        var grants = GrantsOf(db, receipt);
        return new Died(
            await SessionsOf(db, receipt).CountAsync(ct),
            await grants.CountAsync(ct),
            await grants.CountAsync(grant => db.Tokens.Any(token => token.GrantId == grant.Id && token.Kind == TokenKind.Refresh), ct));
    }

    public async ValueTask<Told> CountNoticesAsync(Receipt receipt, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        var notices = db.LogoutNotices.AsNoTracking().Where(notice => notice.ReceiptId == receipt.Id);
        var delivered = await notices.CountAsync(notice => notice.DeliveredAt != null, ct);
        var dead = await notices.CountAsync(notice => notice.DeadAt != null, ct);
        return new Told(await notices.CountAsync(ct) - delivered - dead, delivered, dead);
    }

    public async ValueTask<IReadOnlyList<NodeState>> ListNodesAsync(Receipt receipt, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        var since = now - NodeStore.Silent;
        var nodes = await db.Nodes.AsNoTracking().Where(node => node.SeenAt > since).OrderBy(node => node.Id).ToListAsync(ct);
        return [.. nodes.Select(node => new NodeState(node.Id, node.SeenAt, HeardBy(node).Has(receipt.Sequence)))];
    }

    private static Heard HeardBy(Node node) => new(
        node.Floor,
        [.. node.Recent.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(number => long.Parse(number, CultureInfo.InvariantCulture))]);

    /// <summary>The sessions that died with it: those of a cutoff may not have been marked yet.</summary>
    internal static IQueryable<Session> SessionsOf(ServerDb db, Receipt receipt)
    {
        var (key, at, epoch) = (receipt.Key, receipt.At, receipt.Epoch);
        var cut = db.Sessions.AsNoTracking()
            .Where(session => session.Epoch < epoch && session.ExpiresAt > at && (session.EndedAt == null || session.EndedAt >= at));
        return receipt.Kind switch
        {
            RevocationKind.Session => db.Sessions.AsNoTracking().Where(session => session.Id == key && session.EndedAt == at),
            RevocationKind.Subject => cut.Where(session => session.Subject == key),
            RevocationKind.Everything => cut,
            _ => db.Sessions.AsNoTracking().Where(session => false),
        };
    }

    private static IQueryable<Grant> GrantsOf(ServerDb db, Receipt receipt)
    {
        var (key, at, epoch, clientId) = (receipt.Key, receipt.At, receipt.Epoch, receipt.ClientId);
        var ended = db.Grants.AsNoTracking().Where(grant => grant.EndedAt == at);
        var cut = db.Grants.AsNoTracking()
            .Where(grant => grant.Epoch < epoch && grant.ExpiresAt > at && (grant.EndedAt == null || grant.EndedAt >= at));
        return receipt.Kind switch
        {
            // Of a person and an app, the key is the person; of a session and an app, the session.
            RevocationKind.Grant => ended.Where(
                grant => grant.Id == key || ((grant.Subject == key || grant.SessionId == key) && grant.ClientId == clientId)),
            RevocationKind.Session => ended.Where(grant => grant.SessionId == key),
            RevocationKind.Subject => cut.Where(grant => grant.Subject == key),
            RevocationKind.Client => cut.Where(grant => grant.ClientId == key),
            RevocationKind.Everything => cut,
            _ => db.Grants.AsNoTracking().Where(grant => false),
        };
    }
}
