using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Mail;

internal sealed class MailLinkStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IMailLinks
{
    private static readonly UpperInvariantLookupNormalizer Normalizer = new();

    public async ValueTask AddAsync(MailLink link, OutboxMail? mail, bool replaces, AuditEvent? audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                if (replaces)
                {
                    var earlier = Open(db, link.CreatedAt).Where(row => row.Kind == link.Kind);
                    await CloseAsync(
                        link.Subject is { } subject
                            ? earlier.Where(row => row.Subject == subject)
                            : earlier.Where(row => row.Subject == null && row.Email == link.Email),
                        link.CreatedAt,
                        ct);
                }

                db.MailLinks.Add(link);
                if (mail is not null)
                {
                    db.OutboxMails.Add(mail);
                }

                if (audit is not null)
                {
                    db.Record(audit);
                }

                return await db.SaveChangesAsync(ct);
            },
            ct);

    public async ValueTask<MailLink?> FindOpenAsync(string hash, string kind, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await Open(db, now).AsNoTracking().FirstOrDefaultAsync(link => link.Hash == hash && link.Kind == kind, ct);
    }

    public async ValueTask<bool> UseAsync(string hash, string kind, DateTimeOffset now, CancellationToken ct) =>
        await deeds.RunAsync((db, ct) => UseAsync(db, hash, kind, now, ct), ct);

    public async ValueTask<bool> ProveEmailAsync(string hash, string kind, DateTimeOffset now, EmailChange change, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                var link = await Open(db, now).AsNoTracking().FirstOrDefaultAsync(row => row.Hash == hash && row.Kind == kind, ct);
                if (link is not { Subject: { } subject, Email: { } email }
                    || await db.Users.AsNoTracking().FirstOrDefaultAsync(row => row.Id == subject && row.DisabledAt == null, ct) is not { } user)
                {
                    return false;
                }

                var isOwn = user.NormalizedEmail == Normalizer.NormalizeEmail(email);
                if (await IsTakenAsync(db, subject, email, ct) || !await UseAsync(db, hash, kind, now, ct))
                {
                    return false;
                }

                await SetEmailAsync(db, user, email, now, ct);
                db.Record(isOwn ? change.Verified : change.Changed);
                if (!isOwn)
                {
                    // What was on its way to the address that was, opens nothing any more; but whoever reads mail there may say that it was
                    // not them.
                    await CloseAsync(
                        Open(db, now).Where(row =>
                            row.Subject == subject && row.Email != null && row.Email != email && row.Kind != MailLink.NotMe),
                        now,
                        ct);
                    if (change.Notice is not null)
                    {
                        db.OutboxMails.Add(change.Notice);
                    }
                }

                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask CloseAsync(string subject, string kind, DateTimeOffset now, CancellationToken ct) => await deeds.RunAsync(
        (db, ct) => CloseAsync(Open(db, now).Where(link => link.Subject == subject && link.Kind == kind), now, ct), ct);

    /// <summary>For deeds that a link allows: uses it up inside theirs. False: another was first, or it is too late.</summary>
    public static async Task<bool> UseAsync(ServerDb db, string hash, string kind, DateTimeOffset now, CancellationToken ct) =>
        await CloseAsync(Open(db, now).Where(link => link.Hash == hash && link.Kind == kind), now, ct) == 1;

    /// <summary>The same for a deed that knows whose link it must be.</summary>
    public static async Task<bool> UseOfAsync(ServerDb db, string hash, string subject, DateTimeOffset now, CancellationToken ct) =>
        await CloseAsync(Open(db, now).Where(link => link.Hash == hash && link.Subject == subject), now, ct) == 1;

    /// <summary>The address that was is the person's again, if it is another now: they read mail there.</summary>
    public static async Task PutBackAsync(ServerDb db, string subject, string email, DateTimeOffset now, CancellationToken ct)
    {
        if (await db.Users.AsNoTracking().FirstOrDefaultAsync(row => row.Id == subject, ct) is not { } user
            || user.NormalizedEmail == Normalizer.NormalizeEmail(email)
            || await IsTakenAsync(db, subject, email, ct))
        {
            return;
        }

        await SetEmailAsync(db, user, email, now, ct);
        await CloseAsync(
            Open(db, now).Where(row => row.Subject == subject && row.Email != null && row.Email != email), now, ct);
    }

    private static Task<bool> IsTakenAsync(ServerDb db, string subject, string email, CancellationToken ct)
    {
        var normalized = Normalizer.NormalizeEmail(email);
        return db.Users.AnyAsync(
            row => row.Id != subject && (row.NormalizedEmail == normalized || row.NormalizedUserName == normalized), ct);
    }

    // Who registered with an address signs in by it.
    private static Task<int> SetEmailAsync(ServerDb db, User user, string email, DateTimeOffset now, CancellationToken ct)
    {
        var normalized = Normalizer.NormalizeEmail(email);
        var isName = user.NormalizedUserName == user.NormalizedEmail;
        return db.Users.Where(row => row.Id == user.Id).ExecuteUpdateAsync(
            set => set
                .SetProperty(row => row.Email, email)
                .SetProperty(row => row.NormalizedEmail, normalized)
                .SetProperty(row => row.EmailConfirmed, true)
                .SetProperty(row => row.UserName, row => isName ? email : row.UserName)
                .SetProperty(row => row.NormalizedUserName, row => isName ? normalized : row.NormalizedUserName)
                .SetProperty(row => row.UpdatedAt, now),
            ct);
    }

    private static IQueryable<MailLink> Open(ServerDb db, DateTimeOffset now) =>
        db.MailLinks.Where(link => link.UsedAt == null && link.ExpiresAt > now);

    private static Task<int> CloseAsync(IQueryable<MailLink> links, DateTimeOffset now, CancellationToken ct)
    {
        DateTimeOffset? usedAt = now;
        return links.ExecuteUpdateAsync(set => set.SetProperty(link => link.UsedAt, usedAt), ct);
    }
}
