using System.Data;
using System.Data.Common;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Users;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Sessions;

internal sealed class SessionStore(IDbContextFactory<ServerDb> databases, IStatements statements, IDeeds deeds) : ISessionStore, ISignInDoor
{
    // A cutoff ends a session without touching it.
    private static readonly string Select = $"""
        SELECT s."Id", s."Subject", s."AuthenticatedAt", s."Amr", s."Acr", s."CreatedAt", s."LastSeenAt", s."IdleLifetime",
        s."ExpiresAt", s."KeepSignedIn", s."Address", s."UserAgent", s."DeviceId",
        COALESCE(s."EndedAt", (SELECT MIN(c."At") FROM {Cutoffs.OfSession("s")})), s."Epoch" FROM "Sessions" AS s
        """;

    private static readonly Statement ByHandle =
        new($"{Select} WHERE s.\"HandleHash\" = @HandleHash", ("HandleHash", DbType.AnsiString));

    private static readonly Statement ById = new($"{Select} WHERE s.\"Id\" = @Id", ("Id", DbType.AnsiString));

    public async ValueTask OpenAsync(Session session, string handleHash, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync((db, ct) => OpenAsync(db, session, handleHash, audit, ct), ct);

    public async ValueTask<bool> OpenAsync(User seen, Session session, string handleHash, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) => await HoldAsync(db, seen, ct) && await OpenAsync(db, session, handleHash, audit, ct), ct);

    public async ValueTask<bool> RenewAsync(Session session, string handleHash, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync((db, ct) => RenewAsync(db, session, handleHash, audit, ct), ct);

    public async ValueTask<bool> RenewAsync(User seen, Session session, string handleHash, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) => await HoldAsync(db, seen, ct) && await RenewAsync(db, session, handleHash, audit, ct), ct);

    /// <summary>Holds the person's row until the end of the transaction, if they are as they were.</summary>
    private static async Task<bool> HoldAsync(ServerDb db, User seen, CancellationToken ct) => await db.Users
        .Where(user => user.Id == seen.Id && user.DisabledAt == null
            && user.PasswordChangedAt == seen.PasswordChangedAt && user.PasswordBarredAt == seen.PasswordBarredAt)
        .ExecuteUpdateAsync(set => set.SetProperty(user => user.AccessFailedCount, 0), ct) == 1;

    private static async Task<bool> OpenAsync(ServerDb db, Session session, string handleHash, AuditEvent audit, CancellationToken ct)
    {
        // A cutoff that commits later has a higher number, and so ends what is opened here.
        var row = session with
        {
            UserAgent = BoundedText.Cut(session.UserAgent, SessionMapping.UserAgentLength),
            Epoch = await db.Epochs.Select(counter => counter.Value).SingleAsync(ct),
        };
        db.Sessions.Add(row).Property(SessionMapping.HandleHash).CurrentValue = handleHash;
        db.Record(audit);
        await db.SaveChangesAsync(ct);
        return true;
    }

    private static async Task<bool> RenewAsync(ServerDb db, Session session, string handleHash, AuditEvent audit, CancellationToken ct)
    {
        var renewed = await db.Sessions
            .Where(row => row.Id == session.Id && row.Subject == session.Subject && row.EndedAt == null)
            .NotCut(db)
            .ExecuteUpdateAsync(
                set => set
                    .SetProperty(row => EF.Property<string>(row, SessionMapping.HandleHash), handleHash)
                    .SetProperty(row => row.AuthenticatedAt, session.AuthenticatedAt)
                    .SetProperty(row => row.Amr, session.Amr)
                    .SetProperty(row => row.Acr, session.Acr)
                    .SetProperty(row => row.LastSeenAt, session.LastSeenAt)
                    .SetProperty(row => row.IdleLifetime, session.IdleLifetime)
                    .SetProperty(row => row.ExpiresAt, session.ExpiresAt)
                    .SetProperty(row => row.KeepSignedIn, session.KeepSignedIn)
                    .SetProperty(row => row.DeviceId, session.DeviceId),
                ct);
        if (renewed == 0)
        {
            return false;
        }

        db.Record(audit);
        await db.SaveChangesAsync(ct);
        return true;
    }

    public ValueTask<Session?> FindByHandleAsync(string handleHash, CancellationToken ct) =>
        statements.FirstAsync(ByHandle, [handleHash], Read, ct);

    public async ValueTask<Session?> FindAsync(string sessionId, CancellationToken ct) =>
        Identifiers.IsPossible(sessionId, Identifiers.IdLength)
            ? await statements.FirstAsync(ById, [sessionId], Read, ct)
            : null;

    public async ValueTask TouchAsync(string sessionId, DateTimeOffset now, CancellationToken ct) =>
        await deeds.RunAsync(
            (db, ct) => db.Sessions
                .Where(row => row.Id == sessionId && row.EndedAt == null && row.LastSeenAt < now)
                .ExecuteUpdateAsync(set => set.SetProperty(row => row.LastSeenAt, now), ct),
            ct);

    public async ValueTask<IReadOnlyList<string>> ListClientsAsync(string sessionId, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Grants
            .Where(grant => grant.SessionId == sessionId)
            .Select(grant => grant.ClientId)
            .Distinct()
            .OrderBy(clientId => clientId)
            .ToListAsync(ct);
    }

    private static Session Read(DbDataReader reader) => new()
    {
        Id = reader.GetString(0),
        Subject = reader.GetString(1),
        AuthenticatedAt = reader.Instant(2),
        Amr = reader.List(3),
        Acr = reader.GetString(4),
        CreatedAt = reader.Instant(5),
        LastSeenAt = reader.Instant(6),
        IdleLifetime = reader.Duration(7),
        ExpiresAt = reader.Instant(8),
        KeepSignedIn = reader.GetBoolean(9),
        Address = reader.TextOrNull(10),
        UserAgent = reader.TextOrNull(11),
        DeviceId = reader.TextOrNull(12),
        EndedAt = reader.InstantOrNull(13),
        Epoch = reader.GetInt64(14),
    };
}
