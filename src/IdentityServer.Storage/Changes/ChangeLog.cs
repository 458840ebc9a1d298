using IdentityServer.Protocol.Changes;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Changes;

internal sealed class ChangeLog(IDbContextFactory<ServerDb> databases) : IChangeLog
{
    private const int Page = 1000;

    public async ValueTask<long> LatestAsync(CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Changes.MaxAsync(change => (long?)change.Sequence, ct) ?? 0;
    }

    public async ValueTask<IReadOnlyList<Change>> ReadAsync(long after, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Changes.AsNoTracking()
            .Where(change => change.Sequence > after)
            .OrderBy(change => change.Sequence)
            .Take(Page)
            .ToListAsync(ct);
    }
}
