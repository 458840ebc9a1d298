using System.Data;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

/// <remarks>What every start asks is written by hand: it must not wake EF Core (docs/architecture.md).</remarks>
internal sealed class SetupLinkStore(IDbContextFactory<ServerDb> databases, IStatements statements, IDeeds deeds) : ISetupLinks
{
    /// <summary>The admins' role, normalized.</summary>
    public const string AdminRole = "ADMIN";

    private static readonly Statement FirstAdmin = new(
        """
        SELECT MIN("UserRoles"."UserId") FROM "UserRoles" INNER JOIN "Roles" ON "Roles"."Id" = "UserRoles"."RoleId"
        WHERE "Roles"."NormalizedName" = @Role
        """,
        ("Role", DbType.String));

    private static readonly ConditionalDeed Add = new(
        Statement.Insert(
            "SetupLinks", condition: null, ("Hash", DbType.AnsiString), ("CreatedAt", DbType.Int64), ("ExpiresAt", DbType.Int64)),
        AuditStatements.Insert);

    public async ValueTask<bool> AreNeededAsync(CancellationToken ct) =>
        await statements.FirstAsync(FirstAdmin, [AdminRole], reader => reader.IsDBNull(0) ? null : reader.GetString(0), ct) is null;

    public async ValueTask CreateAsync(
        string hash, DateTimeOffset now, DateTimeOffset expiresAt, AuditEvent audit, CancellationToken ct) =>
        await deeds.DecideAsync(Add, [hash, Columns.Of(now), Columns.Of(expiresAt), .. AuditStatements.Values(audit)], ct);

    public async ValueTask<bool> IsOpenAsync(string hash, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await Open(db, hash, now).AnyAsync(ct);
    }

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
        where role.NormalizedName == AdminRole
        select member.UserId;
}
