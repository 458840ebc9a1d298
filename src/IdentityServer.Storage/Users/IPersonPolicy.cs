using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

/// <summary>What administrators set for a person. Disabling ends everything as well: <see cref="Revocations.Disabled"/>.</summary>
public interface IPersonPolicy
{
    /// <summary>The account may be used again; false when it may already, or there is none.</summary>
    ValueTask<bool> EnableAsync(string subject, AuditEvent audit, CancellationToken ct);

    /// <summary>Whether signing in always takes two factors; false when there is no such person.</summary>
    ValueTask<bool> RequireSecondFactorAsync(string subject, bool isRequired, AuditEvent audit, CancellationToken ct);

    /// <summary>True when nobody else who may sign in is an admin.</summary>
    ValueTask<bool> IsLastAdminAsync(string subject, CancellationToken ct);
}

internal sealed class PersonPolicyStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IPersonPolicy
{
    public ValueTask<bool> EnableAsync(string subject, AuditEvent audit, CancellationToken ct)
    {
        DateTimeOffset? none = null;
        return ChangeAsync(
            audit,
            (db, ct) => db.Users.Where(user => user.Id == subject && user.DisabledAt != null)
                .ExecuteUpdateAsync(set => set.SetProperty(user => user.DisabledAt, none), ct),
            ct);
    }

    public ValueTask<bool> RequireSecondFactorAsync(string subject, bool isRequired, AuditEvent audit, CancellationToken ct) => ChangeAsync(
        audit,
        (db, ct) => db.Users.Where(user => user.Id == subject)
            .ExecuteUpdateAsync(set => set.SetProperty(user => user.RequiresSecondFactor, isRequired), ct),
        ct);

    public async ValueTask<bool> IsLastAdminAsync(string subject, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await SetupLinkStore.Admins(db).ContainsAsync(subject, ct) && !await OtherAdmins(db, subject).AnyAsync(ct);
    }

    /// <summary>
    /// The same inside a deed that takes an admin away. Writes the role's row as it is: of two admins who go at once, on whichever nodes, one
    /// sees that the other went.
    /// </summary>
    internal static async Task<bool> IsLastAdminAsync(ServerDb db, string subject, CancellationToken ct)
    {
        if (!await SetupLinkStore.Admins(db).ContainsAsync(subject, ct))
        {
            return false;
        }

        await db.Roles.Where(role => role.NormalizedName == SetupLinkStore.AdminRole)
            .ExecuteUpdateAsync(set => set.SetProperty(role => role.Name, role => role.Name), ct);
        return !await OtherAdmins(db, subject).AnyAsync(ct);
    }

    private static IQueryable<User> OtherAdmins(ServerDb db, string subject)
    {
        var admins = SetupLinkStore.Admins(db);
        return db.Users.Where(user => user.Id != subject && user.DisabledAt == null && admins.Contains(user.Id));
    }

    private async ValueTask<bool> ChangeAsync(
        AuditEvent audit, Func<ServerDb, CancellationToken, Task<int>> change, CancellationToken ct) => await deeds.RunAsync(
        async (db, ct) =>
        {
            if (await change(db, ct) == 0)
            {
                return false;
            }

            db.Record(audit);
            await db.SaveChangesAsync(ct);
            return true;
        },
        ct);
}
