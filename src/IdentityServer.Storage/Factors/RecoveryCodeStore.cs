using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Mail;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Factors;

internal sealed class RecoveryCodeStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IRecoveryCodes
{
    public async ValueTask<IReadOnlyList<RecoveryCode>> ListAsync(string subject, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.RecoveryCodes.AsNoTracking().Where(code => code.Subject == subject).OrderBy(code => code.Id).ToListAsync(ct);
    }

    public async ValueTask ReplaceAsync(
        string subject, IReadOnlyList<RecoveryCode> codes, AuditEvent audit, OutboxMail? mail, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                await db.RecoveryCodes.Where(code => code.Subject == subject).ExecuteDeleteAsync(ct);
                db.RecoveryCodes.AddRange(codes);
                await FactorChanges.RecordAsync(db, subject, audit, mail, ct);
                return await db.SaveChangesAsync(ct);
            },
            ct);

    public async ValueTask<bool> UseAsync(
        string subject, string hash, DateTimeOffset now, AuditEvent audit, OutboxMail? mail, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                DateTimeOffset? at = now;
                if (await db.RecoveryCodes
                    .Where(code => code.Subject == subject && code.Hash == hash && code.UsedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(code => code.UsedAt, at), ct) != 1)
                {
                    return false;
                }

                db.Record(audit);
                if (mail is not null)
                {
                    db.OutboxMails.Add(mail);
                }

                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);
}
