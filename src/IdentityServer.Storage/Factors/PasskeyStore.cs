using System.Data;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Mail;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Factors;

internal sealed class PasskeyStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IPasskeys
{
    // Two zeros: an authenticator that does not count. Otherwise the counter must grow, and it is the database that says so: of two
    // nodes with the same assertion one changes the row and the other finds it changed.
    private static readonly Statement RecordUse = new(
        """
        UPDATE "Passkeys" SET "SignCount" = @SignCount, "IsBackedUp" = @IsBackedUp, "LastUsedAt" = @Now
        WHERE "Id" = @Id AND "Subject" = @Subject AND ("SignCount" < @SignCount OR ("SignCount" = 0 AND @SignCount = 0))
        """,
        ("SignCount", DbType.Int64),
        ("IsBackedUp", DbType.Boolean),
        ("Now", DbType.Int64),
        ("Id", DbType.AnsiString),
        ("Subject", DbType.AnsiString));

    public async ValueTask<PasskeyAddition> AddAsync(Passkey passkey, AuditEvent audit, OutboxMail? mail, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    if (!await FactorChanges.HoldAsync(db, passkey.Subject, ct))
                    {
                        return PasskeyAddition.NoSuchPerson;
                    }

                    if (await db.Passkeys.AnyAsync(row => row.Id == passkey.Id, ct))
                    {
                        return PasskeyAddition.AlreadyRegistered;
                    }

                    if (await db.Passkeys.CountAsync(row => row.Subject == passkey.Subject, ct) >= IPasskeys.Most)
                    {
                        return PasskeyAddition.TooMany;
                    }

                    db.Passkeys.Add(passkey with { Name = BoundedText.Cut(passkey.Name, FactorMapping.NameLength) });
                    await FactorChanges.RecordAsync(db, passkey.Subject, audit, mail, ct);
                    await db.SaveChangesAsync(ct);
                    return PasskeyAddition.Added;
                },
                ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // Two people with the same credential at the same moment: each held their own row only.
            return PasskeyAddition.AlreadyRegistered;
        }
    }

    public async ValueTask<IReadOnlyList<Passkey>> ListAsync(string subject, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(subject, Identifiers.IdLength))
        {
            return [];
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Passkeys.AsNoTracking()
            .Where(row => row.Subject == subject)
            .OrderBy(row => row.CreatedAt).ThenBy(row => row.Id)
            .ToListAsync(ct);
    }

    public async ValueTask<Passkey?> FindAsync(byte[] credentialId, CancellationToken ct)
    {
        var id = Passkey.IdOf(credentialId);
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Passkeys.AsNoTracking().FirstOrDefaultAsync(row => row.Id == id, ct);
    }

    public async ValueTask<bool> RenameAsync(string subject, string id, string name, AuditEvent audit, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(id, Identifiers.HashLength))
        {
            return false;
        }

        var bounded = BoundedText.Cut(name, FactorMapping.NameLength);
        return await deeds.RunAsync(
            async (db, ct) =>
            {
                if (await Of(db, subject, id).ExecuteUpdateAsync(set => set.SetProperty(row => row.Name, bounded), ct) == 0)
                {
                    return false;
                }

                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);
    }

    public async ValueTask<PasskeyRemoval> RemoveAsync(
        string subject, string id, bool keepOneFactor, AuditEvent audit, OutboxMail? mail, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(id, Identifiers.HashLength))
        {
            return PasskeyRemoval.NotFound;
        }

        return await deeds.RunAsync(
            async (db, ct) =>
            {
                if (!await FactorChanges.HoldAsync(db, subject, ct) || !await Of(db, subject, id).AnyAsync(ct))
                {
                    return PasskeyRemoval.NotFound;
                }

                if (keepOneFactor
                    && !await db.Passkeys.AnyAsync(row => row.Subject == subject && row.Id != id, ct)
                    && !await db.Authenticators.AnyAsync(row => row.Subject == subject, ct))
                {
                    return PasskeyRemoval.LastFactor;
                }

                await Of(db, subject, id).ExecuteDeleteAsync(ct);
                await FactorChanges.RecordAsync(db, subject, audit, mail, ct);
                await db.SaveChangesAsync(ct);
                return PasskeyRemoval.Removed;
            },
            ct);
    }

    public async ValueTask<bool> RecordUseAsync(
        Passkey passkey, long signCount, bool isBackedUp, DateTimeOffset now, CancellationToken ct) =>
        await deeds.ExecuteAsync(RecordUse, [signCount, isBackedUp, Columns.Of(now), passkey.Id, passkey.Subject], ct) == 1;

    private static IQueryable<Passkey> Of(ServerDb db, string subject, string id) =>
        db.Passkeys.Where(row => row.Id == id && row.Subject == subject);
}
