using System.Data;
using System.Data.Common;
using IdentityServer.Protocol.Grants;
using IdentityServer.Storage.Audit;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Revocations;

namespace IdentityServer.Storage.Grants;

/// <summary>The busiest statements of all: opening a grant, finding a token, spending it.</summary>
internal static class GrantStatements
{
    private static readonly string GrantColumns = "g.\"Id\", g.\"ClientId\", g.\"Subject\", g.\"SessionId\", g.\"Scopes\", g.\"GrantedAt\", "
        + "g.\"ExpiresAt\", g.\"IsOffline\", g.\"AuthenticatedAt\", g.\"Amr\", g.\"Acr\", g.\"ClaimsRequest\", g.\"EndedAt\", "
        + "s.\"Id\", s.\"EndedAt\", s.\"OfflineEndedAt\", g.\"Epoch\", "
        + $"(SELECT MIN(c.\"At\") FROM {Cutoffs.OfGrant("g")})";

    /// <summary>
    /// Whether a grant has ended is read off the grant, its session <em>and</em> the cutoffs, in the statement that asks. So an ending
    /// needs no second pass, and nothing opened or refreshed at the same moment slips through.
    /// </summary>
    private static readonly string Live = $"""
        "Grants"."EndedAt" IS NULL AND (("Grants"."IsOffline" = @Yes AND "Sessions"."OfflineEndedAt" IS NULL)
        OR ("Grants"."IsOffline" <> @Yes AND "Sessions"."Id" IS NOT NULL AND "Sessions"."EndedAt" IS NULL))
        AND NOT EXISTS (SELECT 1 FROM {Cutoffs.OfGrant("\"Grants\"")})
        """;

    private static readonly (string Name, DbType Type)[] TokenColumns =
    [
        ("Hash", DbType.AnsiString),
        ("Kind", DbType.Int32),
        ("ClientId", DbType.AnsiString),
        ("GrantId", DbType.AnsiString),
        ("IssuedAt", DbType.Int64),
        ("ExpiresAt", DbType.Int64),
        ("Payload", DbType.String),
    ];

    private static readonly Statement InsertToken = Statement.Insert("Tokens", condition: null, TokenColumns);

    private static readonly (string Name, DbType Type)[] NewGrantColumns =
    [
        ("Id", DbType.AnsiString),
        ("ClientId", DbType.AnsiString),
        ("Subject", DbType.AnsiString),
        ("SessionId", DbType.AnsiString),
        ("Scopes", DbType.String),
        ("GrantedAt", DbType.Int64),
        ("ExpiresAt", DbType.Int64),
        ("IsOffline", DbType.Boolean),
        ("AuthenticatedAt", DbType.Int64),
        ("Amr", DbType.String),
        ("Acr", DbType.String),
        ("ClaimsRequest", DbType.String),
    ];

    // The number of the latest cutoff is read in the same statement: a cutoff that commits later has a higher one.
    private static readonly Statement InsertGrant = new(
        $"""
        INSERT INTO "Grants" ({string.Join(", ", NewGrantColumns.Select(column => $"\"{column.Name}\""))}, "Epoch")
        SELECT {string.Join(", ", NewGrantColumns.Select(column => $"@{column.Name}"))}, "Epochs"."Value" FROM "Epochs"
        WHERE EXISTS (SELECT 1 FROM "Sessions" AS s WHERE s."Id" = @SessionId AND s."EndedAt" IS NULL
        AND NOT EXISTS (SELECT 1 FROM {Cutoffs.OfSession("s")}))
        """,
        NewGrantColumns);

    private static readonly Statement SpendToken = new(
        $"""
        UPDATE "Tokens" SET "SpentAt" = @SpentAt, "SuccessorHash" = @SuccessorHash, "SealedSuccessor" = @SealedSuccessor
        WHERE "Hash" = @Hash AND "Kind" = @Kind AND "SpentAt" IS NULL AND "EndedAt" IS NULL AND EXISTS (
        SELECT 1 FROM "Grants" LEFT JOIN "Sessions" ON "Sessions"."Id" = "Grants"."SessionId"
        WHERE "Grants"."Id" = "Tokens"."GrantId" AND {Live})
        """,
        ("SpentAt", DbType.Int64),
        ("SuccessorHash", DbType.AnsiString),
        ("SealedSuccessor", DbType.Binary),
        ("Hash", DbType.AnsiString),
        ("Kind", DbType.Int32),
        ("Yes", DbType.Boolean));

    // Every combination of deed and number of successors is a text of its own, composed and prepared once.
    private static readonly ConditionalDeed[] SpendDeeds =
        [.. Enumerable.Range(0, 3).Select(count => SpendWith(count))];

    public static ConditionalDeed Open { get; } = new(InsertGrant, InsertToken, AuditStatements.Insert);

    public static ConditionalDeed AddFree { get; } = new(InsertToken, AuditStatements.Insert);

    public static ConditionalDeed AddUnderGrant { get; } = new(
        new Statement(
            $"""
            {InsertToken.Text} WHERE EXISTS (
            SELECT 1 FROM "Grants" LEFT JOIN "Sessions" ON "Sessions"."Id" = "Grants"."SessionId"
            WHERE "Grants"."Id" = @GrantId AND {Live})
            """,
            [.. TokenColumns, ("Yes", DbType.Boolean)]),
        AuditStatements.Insert);

    public static Statement FindToken { get; } = new(
        $"""
        SELECT t."ClientId", t."GrantId", t."IssuedAt", t."ExpiresAt", t."Payload", t."SpentAt", t."EndedAt", t."SuccessorHash",
        t."SealedSuccessor", {GrantColumns} FROM "Tokens" AS t LEFT JOIN "Grants" AS g ON g."Id" = t."GrantId"
        LEFT JOIN "Sessions" AS s ON s."Id" = g."SessionId" WHERE t."Hash" = @Hash AND t."Kind" = @Kind
        """,
        ("Hash", DbType.AnsiString),
        ("Kind", DbType.Int32));

    public static Statement FindGrant { get; } = new(
        $"""
        SELECT {GrantColumns} FROM "Grants" AS g LEFT JOIN "Sessions" AS s ON s."Id" = g."SessionId" WHERE g."Id" = @Id
        """,
        ("Id", DbType.AnsiString));

    /// <summary>The deed of spending a token for so many successors.</summary>
    public static ConditionalDeed Spend(int successors) =>
        successors < SpendDeeds.Length ? SpendDeeds[successors] : SpendWith(successors);

    public static object?[] Values(Grant grant) =>
    [
        grant.Id, grant.ClientId, grant.Subject, grant.SessionId, Columns.Of(grant.Scopes), Columns.Of(grant.GrantedAt),
        Columns.Of(grant.ExpiresAt), grant.IsOffline, Columns.Of(grant.AuthenticatedAt), Columns.Of(grant.Amr), grant.Acr,
        grant.ClaimsRequest,
    ];

    public static object?[] Values(TokenRecord token) =>
    [
        token.Hash, (int)token.Kind, token.ClientId, token.Grant?.Id, Columns.Of(token.IssuedAt), Columns.Of(token.ExpiresAt),
        token.Payload,
    ];

    /// <summary>The grant in <see cref="GrantColumns"/>, with the end that its session or a cutoff gave it if it has none of its own.</summary>
    public static Grant ReadGrant(DbDataReader reader, int first)
    {
        var grant = new Grant
        {
            Id = reader.GetString(first),
            ClientId = reader.GetString(first + 1),
            Subject = reader.GetString(first + 2),
            SessionId = reader.GetString(first + 3),
            Scopes = reader.List(first + 4),
            GrantedAt = reader.Instant(first + 5),
            ExpiresAt = reader.Instant(first + 6),
            IsOffline = reader.GetBoolean(first + 7),
            AuthenticatedAt = reader.Instant(first + 8),
            Amr = reader.List(first + 9),
            Acr = reader.GetString(first + 10),
            ClaimsRequest = reader.TextOrNull(first + 11),
            EndedAt = reader.InstantOrNull(first + 12),
            Epoch = reader.GetInt64(first + 16),
        };
        var end = reader.InstantOrNull(first + 17) ?? grant switch
        {
            { EndedAt: { } at } => at,
            { IsOffline: true } => reader.InstantOrNull(first + 15),
            _ when reader.IsDBNull(first + 13) => grant.ExpiresAt, // its session was cleaned away, so it ended; when is forgotten
            _ => reader.InstantOrNull(first + 14),
        };
        return end == grant.EndedAt ? grant : grant with { EndedAt = end };
    }

    private static ConditionalDeed SpendWith(int successors) =>
        new(SpendToken, [.. Enumerable.Repeat(InsertToken, successors), AuditStatements.Insert]);
}
