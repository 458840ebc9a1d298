using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Mail;

internal sealed class MailLinkStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IMailLinks
{
    public async ValueTask AddAsync(MailLink link, OutboxMail? mail, CancellationToken ct) => await deeds.RunAsync(
        async (db, ct) =>
        {
            var earlier = Open(db, link.CreatedAt).Where(row => row.Kind == link.Kind);
            await CloseAsync(
                link.Subject is { } subject
                    ? earlier.Where(row => row.Subject == subject)
                    : earlier.Where(row => row.Subject == null && row.Email == link.Email),
                link.CreatedAt,
                ct);
            db.MailLinks.Add(link);
            if (mail is not null)
            {
                db.OutboxMails.Add(mail);
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

    public async ValueTask CloseAsync(string subject, string kind, DateTimeOffset now, CancellationToken ct) => await deeds.RunAsync(
        (db, ct) => CloseAsync(Open(db, now).Where(link => link.Subject == subject && link.Kind == kind), now, ct), ct);

    /// <summary>For deeds that a link allows: uses it up inside theirs. False: another was first, or it is too late.</summary>
    public static async Task<bool> UseAsync(ServerDb db, string hash, string kind, DateTimeOffset now, CancellationToken ct) =>
        await CloseAsync(Open(db, now).Where(link => link.Hash == hash && link.Kind == kind), now, ct) == 1;

    private static IQueryable<MailLink> Open(ServerDb db, DateTimeOffset now) =>
        db.MailLinks.Where(link => link.UsedAt == null && link.ExpiresAt > now);

    private static Task<int> CloseAsync(IQueryable<MailLink> links, DateTimeOffset now, CancellationToken ct)
    {
        DateTimeOffset? usedAt = now;
        return links.ExecuteUpdateAsync(set => set.SetProperty(link => link.UsedAt, usedAt), ct);
    }
}
