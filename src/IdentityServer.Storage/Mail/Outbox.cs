using System.Data;
using System.Data.Common;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Mail;

/// <remarks>Written by hand: it is asked every few seconds, and must not wake EF Core on a server that has nothing else to do.</remarks>
internal sealed class Outbox(IStatements statements, IDeeds deeds) : IOutbox
{
    private const string State =
        """
        "Id", "Subject", "Kind", "CreatedAt", "NextAttemptAt", "Attempts", "SentAt", "DeadAt", "Error"
        """;

    private static readonly Statement Add = Statement.Insert(
        "OutboxMails",
        condition: null,
        ("Id", DbType.AnsiString),
        ("Subject", DbType.AnsiString),
        ("Kind", DbType.AnsiString),
        ("Sealed", DbType.String),
        ("CreatedAt", DbType.Int64),
        ("NextAttemptAt", DbType.Int64),
        ("Attempts", DbType.Int32));

    private static readonly Statement Due = List(
        $"""{State}, "Sealed" FROM "OutboxMails" WHERE "NextAttemptAt" <= @Now ORDER BY "NextAttemptAt", "Id" """,
        ("Now", DbType.Int64),
        ("Count", DbType.Int32));

    private static readonly Statement Latest = List(
        $"""{State} FROM "OutboxMails" ORDER BY "CreatedAt" DESC, "Id" """, ("Count", DbType.Int32));

    private static readonly Statement Dead = List(
        $"""{State} FROM "OutboxMails" WHERE "DeadAt" IS NOT NULL ORDER BY "DeadAt" DESC, "Id" """, ("Count", DbType.Int32));

    // Two nodes saw the same row: the second no longer finds it as it was.
    private static readonly Statement Claim = new(
        """
        UPDATE "OutboxMails" SET "NextAttemptAt" = @Until, "Attempts" = "Attempts" + 1
        WHERE "Id" = @Id AND "NextAttemptAt" = @Seen AND "Attempts" = @Attempts
        """,
        ("Until", DbType.Int64),
        ("Id", DbType.AnsiString),
        ("Seen", DbType.Int64),
        ("Attempts", DbType.Int32));

    // Whoever holds the claim by now: sent is sent.
    private static readonly Statement Sent = new(
        """
        UPDATE "OutboxMails" SET "SentAt" = @Now, "NextAttemptAt" = NULL, "DeadAt" = NULL, "Sealed" = NULL, "Error" = NULL
        WHERE "Id" = @Id AND "SentAt" IS NULL
        """,
        ("Now", DbType.Int64),
        ("Id", DbType.AnsiString));

    private static readonly Statement Failed = new(
        """
        UPDATE "OutboxMails" SET "NextAttemptAt" = @Next, "Error" = @Error
        WHERE "Id" = @Id AND "Attempts" = @Attempts AND "NextAttemptAt" = @Until
        """,
        ("Next", DbType.Int64),
        ("Error", DbType.String),
        ("Id", DbType.AnsiString),
        ("Attempts", DbType.Int32),
        ("Until", DbType.Int64));

    private static readonly ConditionalDeed GiveUpAndKeep = GivingUp("");
    private static readonly ConditionalDeed GiveUpAndErase = GivingUp(", \"Sealed\" = NULL");

    private static readonly ConditionalDeed Retry = new(
        new Statement(
            """
            UPDATE "OutboxMails" SET "NextAttemptAt" = @Now, "DeadAt" = NULL
            WHERE "Id" = @Id AND "DeadAt" IS NOT NULL AND "Sealed" IS NOT NULL
            """,
            ("Now", DbType.Int64),
            ("Id", DbType.AnsiString)),
        AuditStatements.Insert);

    private static readonly Statement Counts = new(
        """
        SELECT
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "OutboxMails" WHERE "NextAttemptAt" IS NOT NULL),
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "OutboxMails" WHERE "SentAt" >= @Since AND "CreatedAt" >= @CreatedSince),
          (SELECT CAST(COUNT(*) AS BIGINT) FROM "OutboxMails" WHERE "DeadAt" IS NOT NULL)
        """,
        ("Since", DbType.Int64),
        ("CreatedSince", DbType.Int64));

    public async ValueTask AddAsync(OutboxMail mail, CancellationToken ct) => await deeds.ExecuteAsync(
        Add,
        [
            mail.Id, mail.Subject, mail.Kind, mail.Sealed, Columns.Of(mail.CreatedAt), Columns.Of(mail.NextAttemptAt), mail.Attempts,
        ],
        ct);

    public ValueTask<IReadOnlyList<OutboxMail>> DueAsync(DateTimeOffset now, int count, CancellationToken ct) =>
        statements.ListAsync(Due, [Columns.Of(now), count], reader => Read(reader) with { Sealed = reader.TextOrNull(9) }, ct);

    public async ValueTask<OutboxMail?> ClaimAsync(OutboxMail due, DateTimeOffset until, CancellationToken ct) =>
        await deeds.ExecuteAsync(
            Claim, [Columns.Of(until), due.Id, Columns.Of(due.NextAttemptAt), due.Attempts], ct) == 1
            ? due with { NextAttemptAt = until, Attempts = due.Attempts + 1 }
            : null;

    public async ValueTask RecordSentAsync(OutboxMail claimed, DateTimeOffset now, CancellationToken ct) =>
        await deeds.ExecuteAsync(Sent, [Columns.Of(now), claimed.Id], ct);

    public async ValueTask RecordFailureAsync(OutboxMail claimed, string error, DateTimeOffset next, CancellationToken ct) =>
        await deeds.ExecuteAsync(
            Failed,
            [
                Columns.Of(next), BoundedText.Cut(error, MailMapping.ErrorLength), claimed.Id, claimed.Attempts,
                Columns.Of(claimed.NextAttemptAt),
            ],
            ct);

    public async ValueTask<bool> GiveUpAsync(
        OutboxMail claimed, string error, bool keepContent, DateTimeOffset now, AuditEvent audit, CancellationToken ct) =>
        await deeds.DecideAsync(
            keepContent ? GiveUpAndKeep : GiveUpAndErase,
            [
                Columns.Of(now), BoundedText.Cut(error, MailMapping.ErrorLength), claimed.Id, claimed.Attempts,
                Columns.Of(claimed.NextAttemptAt), .. AuditStatements.Values(audit),
            ],
            ct);

    public async ValueTask<bool> RetryAsync(string id, DateTimeOffset now, AuditEvent audit, CancellationToken ct) =>
        Identifiers.IsPossible(id, Identifiers.IdLength)
        && await deeds.DecideAsync(Retry, [Columns.Of(now), id, .. AuditStatements.Values(audit)], ct);

    public ValueTask<IReadOnlyList<OutboxMail>> LatestAsync(int count, CancellationToken ct) =>
        statements.ListAsync(Latest, [count], Read, ct);

    public ValueTask<IReadOnlyList<OutboxMail>> DeadAsync(int count, CancellationToken ct) =>
        statements.ListAsync(Dead, [count], Read, ct);

    // A mail is sent within days of its making: that keeps the count on the index.
    public async ValueTask<OutboxCounts> CountAsync(DateTimeOffset sentSince, CancellationToken ct) => (await statements.FirstAsync(
        Counts,
        [Columns.Of(sentSince), Columns.Of(sentSince - TimeSpan.FromDays(30))],
        reader => new OutboxCounts(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2)),
        ct))!;

    private static ConditionalDeed GivingUp(string erase) => new(
        new Statement(
            $"""
            UPDATE "OutboxMails" SET "DeadAt" = @Now, "NextAttemptAt" = NULL, "Error" = @Error{erase}
            WHERE "Id" = @Id AND "Attempts" = @Attempts AND "NextAttemptAt" = @Until
            """,
            ("Now", DbType.Int64),
            ("Error", DbType.String),
            ("Id", DbType.AnsiString),
            ("Attempts", DbType.Int32),
            ("Until", DbType.Int64)),
        AuditStatements.Insert);

    private static Statement List(string rest, params (string Name, DbType Type)[] parameters) =>
        new($"SELECT {rest} LIMIT @Count", $"SELECT TOP (@Count) {rest}", parameters);

    private static OutboxMail Read(DbDataReader reader) => new()
    {
        Id = reader.GetString(0),
        Subject = reader.TextOrNull(1),
        Kind = reader.GetString(2),
        CreatedAt = reader.Instant(3),
        NextAttemptAt = reader.InstantOrNull(4),
        Attempts = reader.GetInt32(5),
        SentAt = reader.InstantOrNull(6),
        DeadAt = reader.InstantOrNull(7),
        Error = reader.TextOrNull(8),
    };
}
