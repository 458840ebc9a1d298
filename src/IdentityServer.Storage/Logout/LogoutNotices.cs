using System.Data;
using System.Data.Common;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Revocations;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Logout;

/// <remarks>What is asked every second is written by hand: it must not wake EF Core on a server that has nothing else to do.</remarks>
internal sealed class LogoutNotices(IDbContextFactory<ServerDb> databases, IStatements statements, IDeeds deeds) : ILogoutNotices
{
    internal const int BatchSize = 200;

    private const string Row =
        """
        "Id", "ReceiptId", "ClientId", "Subject", "SessionId", "CreatedAt", "NextAttemptAt", "Attempts", "DeliveredAt", "DeadAt", "Error"
        FROM "LogoutNotices"
        """;

    private static readonly Statement Untold = List(
        """ "Id" FROM "Receipts" WHERE "NotifiedAt" IS NULL ORDER BY "At", "Id" """, ("Count", DbType.Int32));

    private static readonly Statement Told = new(
        """UPDATE "Receipts" SET "NotifiedAt" = @Now WHERE "Id" = @Id AND "NotifiedAt" IS NULL""",
        ("Now", DbType.Int64),
        ("Id", DbType.AnsiString));

    private static readonly Statement DueClients = new(
        """SELECT DISTINCT "ClientId" FROM "LogoutNotices" WHERE "NextAttemptAt" <= @Now""", ("Now", DbType.Int64));

    private static readonly Statement Due = List(
        $"""{Row} WHERE "ClientId" = @ClientId AND "NextAttemptAt" <= @Now ORDER BY "NextAttemptAt", "Id" """,
        ("ClientId", DbType.AnsiString),
        ("Now", DbType.Int64),
        ("Count", DbType.Int32));

    private static readonly Statement OfReceipt = List(
        $"""{Row} WHERE "ReceiptId" = @ReceiptId ORDER BY "ClientId", "Id" """, ("ReceiptId", DbType.AnsiString), ("Count", DbType.Int32));

    private static readonly Statement Dead = List(
        $"""{Row} WHERE "DeadAt" IS NOT NULL ORDER BY "DeadAt" DESC, "Id" """, ("Count", DbType.Int32));

    // Two nodes saw the same row: the second no longer finds it as it was.
    private static readonly Statement Claim = new(
        """
        UPDATE "LogoutNotices" SET "NextAttemptAt" = @Until, "Attempts" = "Attempts" + 1
        WHERE "Id" = @Id AND "NextAttemptAt" = @Seen AND "Attempts" = @Attempts
        """,
        ("Until", DbType.Int64),
        ("Id", DbType.AnsiString),
        ("Seen", DbType.Int64),
        ("Attempts", DbType.Int32));

    // What is claimed is due later than now, and so stays claimed.
    private static readonly Statement Postpone = new(
        """UPDATE "LogoutNotices" SET "NextAttemptAt" = @Until WHERE "ClientId" = @ClientId AND "NextAttemptAt" <= @Now""",
        ("Until", DbType.Int64),
        ("ClientId", DbType.AnsiString),
        ("Now", DbType.Int64));

    // Whoever holds the claim by now: told is told.
    private static readonly Statement Delivered = new(
        """
        UPDATE "LogoutNotices" SET "DeliveredAt" = @Now, "NextAttemptAt" = NULL, "DeadAt" = NULL, "Error" = NULL
        WHERE "Id" = @Id AND "DeliveredAt" IS NULL
        """,
        ("Now", DbType.Int64),
        ("Id", DbType.AnsiString));

    private static readonly Statement Failed = new(
        """
        UPDATE "LogoutNotices" SET "NextAttemptAt" = @Next, "Error" = @Error
        WHERE "Id" = @Id AND "Attempts" = @Attempts AND "NextAttemptAt" = @Until
        """,
        ("Next", DbType.Int64),
        ("Error", DbType.String),
        ("Id", DbType.AnsiString),
        ("Attempts", DbType.Int32),
        ("Until", DbType.Int64));

    private static readonly ConditionalDeed GiveUp = new(
        new Statement(
            """
            UPDATE "LogoutNotices" SET "DeadAt" = @Now, "NextAttemptAt" = NULL, "Error" = @Error
            WHERE "Id" = @Id AND "Attempts" = @Attempts AND "NextAttemptAt" = @Until
            """,
            ("Now", DbType.Int64),
            ("Error", DbType.String),
            ("Id", DbType.AnsiString),
            ("Attempts", DbType.Int32),
            ("Until", DbType.Int64)),
        AuditStatements.Insert);

    private static readonly ConditionalDeed Retry = new(
        new Statement(
            """UPDATE "LogoutNotices" SET "NextAttemptAt" = @Now, "DeadAt" = NULL WHERE "Id" = @Id AND "DeadAt" IS NOT NULL""",
            ("Now", DbType.Int64),
            ("Id", DbType.AnsiString)),
        AuditStatements.Insert);

    private static readonly Statement Counts = new(
        """
        SELECT
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "Receipts" WHERE "NotifiedAt" IS NULL),
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "LogoutNotices" WHERE "NextAttemptAt" IS NOT NULL),
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "LogoutNotices" WHERE "DeliveredAt" >= @Since AND "CreatedAt" >= @CreatedSince),
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "LogoutNotices" WHERE "DeadAt" IS NOT NULL),
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "LogoutNotices" WHERE "DeadAt" >= @DeadSince),
          (SELECT MIN("CreatedAt") FROM "LogoutNotices" WHERE "NextAttemptAt" IS NOT NULL)
        """,
        ("Since", DbType.Int64),
        ("CreatedSince", DbType.Int64),
        ("DeadSince", DbType.Int64));

    public ValueTask<IReadOnlyList<string>> UntoldAsync(int count, CancellationToken ct) =>
        statements.ListAsync(Untold, [count], reader => reader.GetString(0), ct);

    public async ValueTask<int> QueueAsync(string receiptId, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        if (await db.Receipts.AsNoTracking().SingleOrDefaultAsync(row => row.Id == receiptId && row.NotifiedAt == null, ct)
            is not { } receipt)
        {
            return 0;
        }

        // Each part is stored by itself: a node that dies leaves less to do for the next, and nobody waits long.
        var queued = 0;
        var after = "";
        while (true)
        {
            var ids = await ReceiptStore.SessionsOf(db, receipt)
                .Where(session => session.Id.CompareTo(after) > 0)
                .OrderBy(session => session.Id)
                .Select(session => session.Id)
                .Take(BatchSize)
                .ToListAsync(ct);
            if (ids.Count > 0)
            {
                queued += await QueueAsync(receipt, after, ids[^1], now, ct);
                after = ids[^1];
            }

            if (ids.Count < BatchSize)
            {
                await deeds.ExecuteAsync(Told, [Columns.Of(now), receiptId], ct);
                return queued;
            }
        }
    }

    private async ValueTask<int> QueueAsync(Receipt receipt, string after, string last, DateTimeOffset now, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                // One node at a time: two that store the same notices, each in an order of its own, would wait for one another.
                await db.Receipts.Where(row => row.Id == receipt.Id)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.NotifiedAt, row => row.NotifiedAt), ct);
                var sessions = ReceiptStore.SessionsOf(db, receipt)
                    .Where(session => session.Id.CompareTo(after) > 0 && session.Id.CompareTo(last) <= 0);
                var added = await AddAsync(db, receipt, sessions, now, ct);
                await db.SaveChangesAsync(ct);
                return added;
            },
            ct);

    /// <summary>Adds a notice for every client (or the one) that took part in one of the sessions and wants to be told; answers how many.</summary>
    internal static async Task<int> AddAsync(
        ServerDb db, Receipt receipt, IQueryable<Session> sessions, DateTimeOffset now, CancellationToken ct, string? onlyClientId = null)
    {
        var wanted = await (
            from session in sessions
            join grant in db.Grants on session.Id equals grant.SessionId
            join client in db.Clients on grant.ClientId equals client.Id
            where client.BackChannelLogoutUri != null && (onlyClientId == null || client.Id == onlyClientId)
                && !db.LogoutNotices.Any(notice => notice.ReceiptId == receipt.Id
                    && notice.SessionId == session.Id && notice.ClientId == client.Id)
            select new { session.Id, session.Subject, ClientId = client.Id })
            .Distinct()
            .ToListAsync(ct);
        db.LogoutNotices.AddRange(wanted.Select(one => new LogoutNotice
        {
            Id = Handle.NewId(),
            ReceiptId = receipt.Id,
            ClientId = one.ClientId,
            Subject = one.Subject,
            SessionId = one.Id,
            CreatedAt = now,
            NextAttemptAt = now,
        }));
        return wanted.Count;
    }

    public ValueTask<IReadOnlyList<string>> DueClientsAsync(DateTimeOffset now, CancellationToken ct) =>
        statements.ListAsync(DueClients, [Columns.Of(now)], reader => reader.GetString(0), ct);

    public ValueTask<IReadOnlyList<LogoutNotice>> DueAsync(string clientId, DateTimeOffset now, int count, CancellationToken ct) =>
        statements.ListAsync(Due, [clientId, Columns.Of(now), count], Read, ct);

    public async ValueTask<LogoutNotice?> ClaimAsync(LogoutNotice due, DateTimeOffset until, CancellationToken ct) =>
        await deeds.ExecuteAsync(
            Claim, [Columns.Of(until), due.Id, Columns.Of(due.NextAttemptAt), due.Attempts], ct) == 1
            ? due with { NextAttemptAt = until, Attempts = due.Attempts + 1 }
            : null;

    public async ValueTask PostponeAsync(string clientId, DateTimeOffset now, DateTimeOffset until, CancellationToken ct) =>
        await deeds.ExecuteAsync(Postpone, [Columns.Of(until), clientId, Columns.Of(now)], ct);

    public async ValueTask RecordDeliveredAsync(LogoutNotice claimed, DateTimeOffset now, CancellationToken ct) =>
        await deeds.ExecuteAsync(Delivered, [Columns.Of(now), claimed.Id], ct);

    public async ValueTask RecordFailureAsync(LogoutNotice claimed, string error, DateTimeOffset next, CancellationToken ct) =>
        await deeds.ExecuteAsync(Failed, [Columns.Of(next), Cut(error), claimed.Id, claimed.Attempts, Columns.Of(claimed.NextAttemptAt)], ct);

    public async ValueTask<bool> GiveUpAsync(LogoutNotice seen, string error, DateTimeOffset now, AuditEvent audit, CancellationToken ct) =>
        await deeds.DecideAsync(
            GiveUp,
            [
                Columns.Of(now), Cut(error), seen.Id, seen.Attempts, Columns.Of(seen.NextAttemptAt), .. AuditStatements.Values(audit),
            ],
            ct);

    public async ValueTask<bool> RetryAsync(string id, DateTimeOffset now, AuditEvent audit, CancellationToken ct) =>
        Identifiers.IsPossible(id, Identifiers.IdLength)
        && await deeds.DecideAsync(Retry, [Columns.Of(now), id, .. AuditStatements.Values(audit)], ct);

    public async ValueTask<IReadOnlyList<LogoutNotice>> ListAsync(string receiptId, CancellationToken ct) =>
        Identifiers.IsPossible(receiptId, Identifiers.IdLength)
            ? await statements.ListAsync(OfReceipt, [receiptId, 1000], Read, ct)
            : [];

    public ValueTask<IReadOnlyList<LogoutNotice>> DeadAsync(int count, CancellationToken ct) =>
        statements.ListAsync(Dead, [count], Read, ct);

    // A notice is delivered within days of its making: that keeps the count on the index.
    public async ValueTask<LogoutCounts> CountAsync(DateTimeOffset since, CancellationToken ct) => (await statements.FirstAsync(
        Counts,
        [Columns.Of(since), Columns.Of(since - TimeSpan.FromDays(2)), Columns.Of(since)],
        reader => new LogoutCounts(
            reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4), reader.InstantOrNull(5)),
        ct))!;

    private static string Cut(string error) => BoundedText.Cut(error, LogoutNoticeMapping.ErrorLength);

    private static Statement List(string rest, params (string Name, DbType Type)[] parameters) =>
        new($"SELECT {rest} LIMIT @Count", $"SELECT TOP (@Count) {rest}", parameters);

    private static LogoutNotice Read(DbDataReader reader) => new()
    {
        Id = reader.GetString(0),
        ReceiptId = reader.GetString(1),
        ClientId = reader.GetString(2),
        Subject = reader.GetString(3),
        SessionId = reader.GetString(4),
        CreatedAt = reader.Instant(5),
        NextAttemptAt = reader.InstantOrNull(6),
        Attempts = reader.GetInt32(7),
        DeliveredAt = reader.InstantOrNull(8),
        DeadAt = reader.InstantOrNull(9),
        Error = reader.TextOrNull(10),
    };
}
