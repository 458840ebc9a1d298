using IdentityServer.Storage.Deeds;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Users;

internal sealed class CredentialStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : ICredentials
{
    private const int LongestName = 256;

    private static readonly UpperInvariantLookupNormalizer Normalizer = new();

    public async ValueTask<Credential?> FindAsync(string typed, CancellationToken ct)
    {
        // User names and addresses are plain ASCII (Identity's default); nothing else is worth asking a database for.
        if (!Identifiers.IsPossible(typed, LongestName))
        {
            return null;
        }

        var name = Normalizer.NormalizeName(typed);
        await using var db = await databases.CreateDbContextAsync(ct);
        var found = await db.Users.AsNoTracking()
            .Where(user => user.NormalizedUserName == name || user.NormalizedEmail == name)
            .Take(3)
            .ToListAsync(ct);
        return await WithRoleAsync(
            db, found.Find(user => user.NormalizedUserName == name) ?? (found.Count == 1 ? found[0] : null), ct);
    }

    public async ValueTask<Credential?> FindBySubjectAsync(string subject, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(subject, Identifiers.IdLength))
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        return await WithRoleAsync(db, await db.Users.AsNoTracking().FirstOrDefaultAsync(user => user.Id == subject, ct), ct);
    }

    public async ValueTask ReplaceHashAsync(User user, string betterHash, CancellationToken ct) => await deeds.RunAsync(
        (db, ct) => db.Users.Where(row => row.Id == user.Id && row.PasswordHash == user.PasswordHash)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, betterHash), ct),
        ct);

    private static async ValueTask<Credential?> WithRoleAsync(ServerDb db, User? user, CancellationToken ct) =>
        user is null ? null : new Credential(user, await SetupLinkStore.Admins(db).ContainsAsync(user.Id, ct));
}
