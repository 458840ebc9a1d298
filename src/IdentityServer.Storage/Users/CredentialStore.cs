using IdentityServer.Protocol.Audit;
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
        var user = found.Find(user => user.NormalizedUserName == name) ?? (found.Count == 1 ? found[0] : null);
        return user is null
            ? null
            : new Credential(user, await SetupLinkStore.Admins(db).ContainsAsync(user.Id, ct));
    }

    public async ValueTask RecordFailureAsync(
        string subject, DateTimeOffset now, Func<int, TimeSpan?> lockFor, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                var person = db.Users.Where(user => user.Id == subject);
                await person.ExecuteUpdateAsync(
                    set => set.SetProperty(user => user.AccessFailedCount, user => user.AccessFailedCount + 1), ct);
                var count = await person.Select(user => user.AccessFailedCount).FirstOrDefaultAsync(ct);
                if (lockFor(count) is { } time)
                {
                    DateTimeOffset? end = now + time;
                    await person.ExecuteUpdateAsync(set => set.SetProperty(user => user.LockoutEnd, end), ct);
                }

                db.Record(audit);
                return await db.SaveChangesAsync(ct);
            },
            ct);

    public async ValueTask RecordSuccessAsync(Credential credential, string? betterHash, CancellationToken ct)
    {
        var user = credential.User;
        if (user is { AccessFailedCount: 0, LockoutEnd: null } && betterHash is null)
        {
            return;
        }

        DateTimeOffset? unlocked = null;
        await deeds.RunAsync(
            async (db, ct) =>
            {
                await db.Users.Where(row => row.Id == user.Id).ExecuteUpdateAsync(
                    set => set
                        .SetProperty(row => row.AccessFailedCount, 0)
                        .SetProperty(row => row.LockoutEnd, unlocked),
                    ct);
                return betterHash is null
                    ? 0
                    : await db.Users.Where(row => row.Id == user.Id && row.PasswordHash == user.PasswordHash)
                        .ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, betterHash), ct);
            },
            ct);
    }
}
