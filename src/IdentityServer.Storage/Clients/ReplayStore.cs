using IdentityServer.Protocol;
using IdentityServer.Protocol.Clients;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Clients;

internal sealed class ReplayStore(IDeeds deeds) : IReplayStore
{
    public async ValueTask<bool> TryUseAsync(string purpose, string value, DateTimeOffset expiresAt, CancellationToken ct)
    {
        var used = new UsedValue(Handle.HashOf($"{purpose}\n{value}"), expiresAt);
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    db.UsedValues.Add(used);
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
