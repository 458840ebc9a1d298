using System.Data;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Cleanup;

/// <remarks>
/// Along an index of each table, a batch in a statement of its own: nobody waits long for it, and a run that is cut short goes on with the
/// next. A cutoff is taken up some minutes after it was made, when what was being opened at that moment lies in the tables.
/// </remarks>
internal sealed class CutoffMarks(IStatements statements, IDeeds deeds, TimeProvider clock) : ICutoffMarks
{
    internal const int BatchSize = 250;

    private const int Batches = 4000;

    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(5);

    private static readonly Statement Open = new(
        """SELECT "Kind", "Key", "At", "Epoch" FROM "Revocations" WHERE "Epoch" > 0 AND "MarkedAt" IS NULL AND "At" < @Before ORDER BY "Epoch" """,
        ("Before", DbType.Int64));

    private static readonly Statement Done = new(
        """UPDATE "Revocations" SET "MarkedAt" = @Now WHERE "Kind" = @Kind AND "Key" = @Key AND "Epoch" = @Epoch""",
        ("Now", DbType.Int64),
        ("Kind", DbType.Int32),
        ("Key", DbType.AnsiString),
        ("Epoch", DbType.Int64));

    private static readonly Walk SessionsOfSubject = new("Sessions", "\"Subject\" = @Key");
    private static readonly Walk GrantsOfSubject = new("Grants", "\"Subject\" = @Key");
    private static readonly Walk GrantsOfClient = new("Grants", "\"ClientId\" = @Key");
    private static readonly Walk AllSessions = new("Sessions", "@Key = '*'");
    private static readonly Walk AllGrants = new("Grants", "@Key = '*'");

    public async ValueTask<int> MarkAsync(DateTimeOffset now, CancellationToken ct)
    {
        var cutoffs = await statements.ListAsync(
            Open,
            [Columns.Of(now - Settled)],
            reader => (Kind: (RevocationKind)reader.GetInt32(0), Key: reader.GetString(1), At: reader.GetInt64(2), Epoch: reader.GetInt64(3)),
            ct);
        var marked = 0;
        var left = Batches;
        foreach (var cutoff in cutoffs)
        {
            Walk[] walks = cutoff.Kind switch
            {
                RevocationKind.Subject => [SessionsOfSubject, GrantsOfSubject],
                RevocationKind.Client => [GrantsOfClient],
                _ => [AllSessions, AllGrants],
            };
            foreach (var walk in walks)
            {
                var after = "";
                while (true)
                {
                    if (left-- == 0)
                    {
                        return marked; // the next run begins where nothing is marked yet
                    }

                    var page = await statements.ListAsync(
                        walk.Page, [cutoff.Key, after, cutoff.Epoch], reader => reader.GetString(0), ct);
                    if (page.Count > 0)
                    {
                        var (from, last) = (after, page[^1]);
                        marked += await Pacing.BatchAsync(
                            clock, () => deeds.ExecuteAsync(walk.Mark, [cutoff.At, cutoff.Key, from, last, cutoff.Epoch], ct), ct);
                        after = last;
                    }

                    if (page.Count < BatchSize)
                    {
                        break;
                    }
                }
            }

            await deeds.ExecuteAsync(Done, [Columns.Of(now), (int)cutoff.Kind, cutoff.Key, cutoff.Epoch], ct);
        }

        return marked;
    }

    private sealed class Walk
    {
        public Walk(string table, string whose)
        {
            var dead = $"""{whose} AND "Id" > @After AND "EndedAt" IS NULL AND "Epoch" < @Epoch""";
            var page = $"""
                "Id" FROM "{table}" WHERE {dead} ORDER BY "Id"
                """;
            Page = new(
                $"SELECT {page} LIMIT {BatchSize}",
                $"SELECT TOP ({BatchSize}) {page}",
                ("Key", DbType.AnsiString),
                ("After", DbType.AnsiString),
                ("Epoch", DbType.Int64));
            Mark = new(
                $"""
                UPDATE "{table}" SET "EndedAt" = @At WHERE {whose} AND "Id" > @After AND "Id" <= @Last AND "EndedAt" IS NULL
                AND "Epoch" < @Epoch
                """,
                ("At", DbType.Int64),
                ("Key", DbType.AnsiString),
                ("After", DbType.AnsiString),
                ("Last", DbType.AnsiString),
                ("Epoch", DbType.Int64));
        }

        public Statement Page { get; }

        public Statement Mark { get; }
    }
}
