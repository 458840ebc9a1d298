using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

internal sealed class MembershipStore(IDbContextFactory<ServerDb> databases) : IMemberships
{
    public async ValueTask<IReadOnlyList<string>> RolesOfAsync(string subject, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(subject, Identifiers.IdLength))
        {
            return [];
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        return await (
            from member in db.UserRoles
            join role in db.Roles on member.RoleId equals role.Id
            join user in db.Users on member.UserId equals user.Id
            where member.UserId == subject && user.DisabledAt == null
            select role.Name!).ToListAsync(ct);
    }
}
