using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Consents;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Accounts;

internal sealed class AccountStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IAccounts
{
    public async ValueTask<IReadOnlyList<Session>> ListSessionsAsync(string subject, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Sessions.AsNoTracking()
            .Where(session => session.Subject == subject && session.EndedAt == null)
            .NotCut(db)
            .OrderByDescending(session => session.LastSeenAt)
            .ThenBy(session => session.Id)
            .ToListAsync(ct);
    }

    public async ValueTask<IReadOnlyList<Consent>> ListConsentsAsync(string subject, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await ConsentsOf(db, subject).ToListAsync(ct);
    }

    public async ValueTask<IReadOnlyList<Grant>> ListOfflineGrantsAsync(string subject, DateTimeOffset now, CancellationToken ct)
    {
        // A grant also ends with its session, when the session ended with all that was given in it.
        await using var db = await databases.CreateDbContextAsync(ct);
        return await GrantsOf(db, subject)
            .NotCut(db)
            .Where(grant => grant.IsOffline && grant.EndedAt == null && grant.ExpiresAt > now
                && !db.Sessions.Any(session => session.Id == grant.SessionId
                    && EF.Property<DateTimeOffset?>(session, SessionMapping.OfflineEndedAt) != null))
            .ToListAsync(ct);
    }

    public async ValueTask<bool> ChangeProfileAsync(string subject, Profile profile, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                if (await db.Users.Where(user => user.Id == subject && user.DisabledAt == null)
                    .ExecuteUpdateAsync(
                        set => set
                            .SetProperty(user => user.Name, profile.Name)
                            .SetProperty(user => user.GivenName, profile.GivenName)
                            .SetProperty(user => user.FamilyName, profile.FamilyName)
                            .SetProperty(user => user.Locale, profile.Locale)
                            .SetProperty(user => user.UpdatedAt, audit.At),
                        ct) == 0)
                {
                    return false;
                }

                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask<AccountRecords> ReadAsync(string subject, CancellationToken ct)
    {
        var actor = "user:" + subject;
        await using var db = await databases.CreateDbContextAsync(ct);
        return new AccountRecords
        {
            Roles = await (
                from member in db.UserRoles
                join role in db.Roles on member.RoleId equals role.Id
                where member.UserId == subject
                orderby role.Name
                select role.Name!).ToListAsync(ct),
            Sessions = await db.Sessions.AsNoTracking()
                .Where(session => session.Subject == subject).OrderBy(session => session.CreatedAt).ToListAsync(ct),
            Consents = await ConsentsOf(db, subject).ToListAsync(ct),
            Grants = await GrantsOf(db, subject).ToListAsync(ct),
            Places = await db.Places.AsNoTracking()
                .Where(place => place.Subject == subject).OrderBy(place => place.FirstSeenAt).ToListAsync(ct),
            Mails = await db.OutboxMails.AsNoTracking()
                .Where(mail => mail.Subject == subject).OrderBy(mail => mail.CreatedAt).ToListAsync(ct),
            Events = await db.AuditEvents.AsNoTracking()
                .Where(audit => audit.Subject == subject || audit.Actor == actor)
                .OrderBy(audit => EF.Property<long>(audit, AuditMapping.Id))
                .ToListAsync(ct),
        };
    }

    private static IQueryable<Consent> ConsentsOf(ServerDb db, string subject) =>
        db.Consents.AsNoTracking().Where(consent => consent.Subject == subject).OrderBy(consent => consent.ClientId);

    private static IQueryable<Grant> GrantsOf(ServerDb db, string subject) => db.Grants.AsNoTracking()
        .Where(grant => grant.Subject == subject).OrderBy(grant => grant.GrantedAt).ThenBy(grant => grant.Id);
}
