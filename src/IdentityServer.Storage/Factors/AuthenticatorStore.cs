using System.Data;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Mail;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Factors;

internal sealed class AuthenticatorStore(IStatements statements, IDeeds deeds) : IAuthenticators
{
    private static readonly Statement OfPerson = new(
        """
        SELECT "Id", "Subject", "Name", "SealedSecret", "CreatedAt", "LastUsedAt", "LastStep" FROM "Authenticators"
        WHERE "Subject" = @Subject ORDER BY "CreatedAt", "Id"
        """,
        ("Subject", DbType.AnsiString));

    private static readonly Statement Accept = new(
        """UPDATE "Authenticators" SET "LastStep" = @Step, "LastUsedAt" = @Now WHERE "Id" = @Id AND "LastStep" < @Step""",
        ("Step", DbType.Int64),
        ("Now", DbType.Int64),
        ("Id", DbType.AnsiString));

    public ValueTask<IReadOnlyList<Authenticator>> ListAsync(string subject, CancellationToken ct) => statements.ListAsync(
        OfPerson,
        [subject],
        reader => new Authenticator
        {
            Id = reader.GetString(0),
            Subject = reader.GetString(1),
            Name = reader.GetString(2),
            SealedSecret = reader.GetString(3),
            CreatedAt = reader.Instant(4),
            LastUsedAt = reader.InstantOrNull(5),
            LastStep = reader.GetInt64(6),
        },
        ct);

    public async ValueTask<bool> AddAsync(Authenticator authenticator, AuditEvent audit, OutboxMail? mail, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                if (!await FactorChanges.HoldAsync(db, authenticator.Subject, ct)
                    || await db.Authenticators.CountAsync(row => row.Subject == authenticator.Subject, ct) >= IAuthenticators.Most)
                {
                    return false;
                }

                db.Authenticators.Add(authenticator with { Name = BoundedText.Cut(authenticator.Name, FactorMapping.NameLength) });
                await FactorChanges.RecordAsync(db, authenticator.Subject, audit, mail, ct);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask<bool> AcceptAsync(string id, long step, DateTimeOffset now, CancellationToken ct) =>
        await deeds.ExecuteAsync(Accept, [step, Columns.Of(now), id], ct) == 1;

    public async ValueTask<bool> RenameAsync(string subject, string id, string name, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                var cut = BoundedText.Cut(name, FactorMapping.NameLength);
                if (await db.Authenticators.Where(row => row.Id == id && row.Subject == subject)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.Name, cut), ct) == 0)
                {
                    return false;
                }

                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask<AuthenticatorRemoval> RemoveAsync(
        string subject, string id, bool keepOneFactor, AuditEvent audit, OutboxMail? mail, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                var own = db.Authenticators.Where(row => row.Id == id && row.Subject == subject);
                if (!await FactorChanges.HoldAsync(db, subject, ct) || !await own.AnyAsync(ct))
                {
                    return AuthenticatorRemoval.NotFound;
                }

                if (keepOneFactor
                    && !await db.Authenticators.AnyAsync(row => row.Subject == subject && row.Id != id, ct)
                    && !await db.Passkeys.AnyAsync(row => row.Subject == subject, ct))
                {
                    return AuthenticatorRemoval.LastFactor;
                }

                await own.ExecuteDeleteAsync(ct);
                await FactorChanges.RecordAsync(db, subject, audit, mail, ct);
                await db.SaveChangesAsync(ct);
                return AuthenticatorRemoval.Removed;
            },
            ct);
}
