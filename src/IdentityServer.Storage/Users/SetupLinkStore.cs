using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

internal sealed class SetupLinkStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : ISetupLinks
{
    public async ValueTask CreateAsync(
        string hash, DateTimeOffset now, DateTimeOffset expiresAt, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                await db.SetupLinks.Where(link => link.UsedAt == null).ExecuteDeleteAsync(ct);
                db.SetupLinks.Add(new SetupLink { Hash = hash, CreatedAt = now, ExpiresAt = expiresAt });
                db.Record(audit);
                return await db.SaveChangesAsync(ct);
            },
            ct);

    public async ValueTask<bool> IsOpenAsync(string hash, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await Open(db, hash, now).AnyAsync(ct);
    }

    public async ValueTask<bool> TryConsumeAsync(string hash, DateTimeOffset now, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                DateTimeOffset? at = now;
                if (await Open(db, hash, now).ExecuteUpdateAsync(set => set.SetProperty(link => link.UsedAt, at), ct) == 0)
                {
                    return false;
                }

                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    /// <summary>The link, if it may be used now.</summary>
    public static IQueryable<SetupLink> Open(ServerDb db, string hash, DateTimeOffset now)
    {
        var admins = Admins(db);
        return db.SetupLinks.Where(link =>
            link.Hash == hash && link.UsedAt == null && link.ExpiresAt > now && !admins.Any());
    }

    /// <summary>Ids of the people who are admins.</summary>
    public static IQueryable<string> Admins(ServerDb db) =>
        from member in db.UserRoles
        join role in db.Roles on member.RoleId equals role.Id
        where role.NormalizedName == "ADMIN"
        select member.UserId;
}
