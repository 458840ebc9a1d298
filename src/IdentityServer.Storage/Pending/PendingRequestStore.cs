using IdentityServer.Protocol.Pending;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Pending;

internal sealed class PendingRequestStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IPendingRequestStore
{
    public async ValueTask SaveAsync(PendingRequest request, CancellationToken ct) =>
        await deeds.RunAsync(
            (db, ct) =>
            {
                db.PendingRequests.Add(request);
                return db.SaveChangesAsync(ct);
            },
            ct);

    public async ValueTask<PendingRequest?> FindAsync(string hash, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.PendingRequests.AsNoTracking()
            .FirstOrDefaultAsync(request => request.Hash == hash && request.ExpiresAt > now, ct);
    }

    public async ValueTask AnswerAsync(PendingRequest request, CancellationToken ct) =>
        await deeds.RunAsync(
            (db, ct) => db.PendingRequests
                .Where(row => row.Hash == request.Hash)
                .ExecuteUpdateAsync(
                    set => set
                        .SetProperty(row => row.ChosenSessionId, request.ChosenSessionId)
                        .SetProperty(row => row.AnsweredSessionId, request.AnsweredSessionId)
                        .SetProperty(row => row.AllowedScopes, request.AllowedScopes),
                    ct),
            ct);

    public async ValueTask RemoveAsync(string hash, CancellationToken ct) =>
        await deeds.RunAsync(
            (db, ct) => db.PendingRequests.Where(row => row.Hash == hash).ExecuteDeleteAsync(ct),
            ct);
}
