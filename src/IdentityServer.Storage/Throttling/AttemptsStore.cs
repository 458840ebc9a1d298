using System.Data;
using System.Data.Common;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Throttling;

internal sealed class AttemptsStore(IStatements statements, IDeeds deeds) : IAttempts
{
    private static readonly Statement Unexpired = new(
        """
        SELECT "Key", "Count", "BlockedUntil", "ExpiresAt" FROM "Attempts"
        WHERE "Key" IN (@A, @B, @C, @D) AND "ExpiresAt" > @Now
        """,
        ("A", DbType.AnsiString),
        ("B", DbType.AnsiString),
        ("C", DbType.AnsiString),
        ("D", DbType.AnsiString),
        ("Now", DbType.Int64));

    private static readonly Statement Replace = new(
        """
        UPDATE "Attempts" SET "Count" = @Count, "BlockedUntil" = @BlockedUntil, "ExpiresAt" = @ExpiresAt
        WHERE "Key" = @Key AND "Count" = @SeenCount AND "ExpiresAt" = @SeenExpiresAt
        """,
        ("Count", DbType.Int32),
        ("BlockedUntil", DbType.Int64),
        ("ExpiresAt", DbType.Int64),
        ("Key", DbType.AnsiString),
        ("SeenCount", DbType.Int32),
        ("SeenExpiresAt", DbType.Int64));

    // A count past its end is as good as none.
    private static readonly Statement ReplaceForgotten = new(
        """
        UPDATE "Attempts" SET "Count" = @Count, "BlockedUntil" = @BlockedUntil, "ExpiresAt" = @ExpiresAt
        WHERE "Key" = @Key AND "ExpiresAt" <= @Now
        """,
        ("Count", DbType.Int32),
        ("BlockedUntil", DbType.Int64),
        ("ExpiresAt", DbType.Int64),
        ("Key", DbType.AnsiString),
        ("Now", DbType.Int64));

    private static readonly ConditionalDeed Begin = new(Statement.Insert(
        "Attempts",
        condition: null,
        ("Key", DbType.AnsiString),
        ("Count", DbType.Int32),
        ("BlockedUntil", DbType.Int64),
        ("ExpiresAt", DbType.Int64)));

    private static readonly Statement Forget =
        new("""DELETE FROM "Attempts" WHERE "Key" = @Key""", ("Key", DbType.AnsiString));

    // Keys are compared octet by octet on every database; no key holds a character above the tilde.
    private static readonly Statement ForgetBelow = new(
        """DELETE FROM "Attempts" WHERE "Key" >= @From AND "Key" < @To""", ("From", DbType.AnsiString), ("To", DbType.AnsiString));

    private static readonly Statement Return = new(
        """UPDATE "Attempts" SET "Count" = "Count" - 1 WHERE "Key" = @Key AND "Count" > 0""", ("Key", DbType.AnsiString));

    public async ValueTask<IReadOnlyList<Attempts>> ListAsync(IReadOnlyList<string> keys, DateTimeOffset now, CancellationToken ct)
    {
        if (keys.Count >= Unexpired.Parameters.Count)
        {
            throw new ArgumentException("At most four keys are read at once.", nameof(keys));
        }

        object?[] values = [null, null, null, null, Columns.Of(now)];
        for (var i = 0; i < keys.Count; i++)
        {
            values[i] = keys[i];
        }

        return await statements.ListAsync(
            Unexpired,
            values,
            reader => new Attempts
            {
                Key = reader.GetString(0),
                Count = reader.GetInt32(1),
                BlockedUntil = reader.InstantOrNull(2),
                ExpiresAt = reader.Instant(3),
            },
            ct);
    }

    public async ValueTask<bool> TryReplaceAsync(Attempts? seen, Attempts next, DateTimeOffset now, CancellationToken ct)
    {
        object?[] becomes = [next.Count, Columns.Of(next.BlockedUntil), Columns.Of(next.ExpiresAt), next.Key];
        if (seen is not null)
        {
            return await deeds.ExecuteAsync(Replace, [.. becomes, seen.Count, Columns.Of(seen.ExpiresAt)], ct) == 1;
        }

        if (await deeds.ExecuteAsync(ReplaceForgotten, [.. becomes, Columns.Of(now)], ct) == 1)
        {
            return true;
        }

        try
        {
            return await deeds.DecideAsync(
                Begin, [next.Key, next.Count, Columns.Of(next.BlockedUntil), Columns.Of(next.ExpiresAt)], ct);
        }
        catch (DbException error) when (UniqueViolation.Is(error))
        {
            return false;
        }
    }

    public async ValueTask ForgetAsync(IReadOnlyList<string> keys, CancellationToken ct)
    {
        foreach (var key in keys)
        {
            await deeds.ExecuteAsync(Forget, [key], ct);
        }
    }

    public async ValueTask ForgetBelowAsync(string prefix, CancellationToken ct) =>
        await deeds.ExecuteAsync(ForgetBelow, [prefix, prefix + '~'], ct);

    public async ValueTask ReturnAsync(string key, CancellationToken ct) => await deeds.ExecuteAsync(Return, [key], ct);
}
