using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

internal sealed class NameStore(IDbContextFactory<ServerDb> databases) : INames
{
    public async ValueTask<IReadOnlyDictionary<string, PersonName>> FindAsync(IEnumerable<string> subjects, CancellationToken ct)
    {
        var ids = subjects.Distinct(StringComparer.Ordinal).Where(id => Identifiers.IsPossible(id, Identifiers.IdLength)).ToArray();
        if (ids.Length == 0)
        {
            return new Dictionary<string, PersonName>(StringComparer.Ordinal);
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        var rows = await db.Users.AsNoTracking()
            .Where(user => ids.Contains(user.Id))
            .Select(user => new { user.Id, user.UserName, user.Name })
            .ToListAsync(ct);
        return rows.ToDictionary(row => row.Id, row => new PersonName(row.UserName!, row.Name), StringComparer.Ordinal);
    }
}
