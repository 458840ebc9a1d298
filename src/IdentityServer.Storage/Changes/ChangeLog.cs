using System.Data;
using IdentityServer.Protocol.Changes;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Changes;

internal sealed class ChangeLog(IStatements statements) : IChangeLog
{
    private const string Columns = "\"Sequence\", \"Kind\", \"Key\", \"At\"";
    private const string From = "FROM \"Changes\" WHERE \"Sequence\" > @After ORDER BY \"Sequence\"";

    private static readonly Statement Latest = new("""SELECT COALESCE(MAX("Sequence"), 0) FROM "Changes" """);

    private const string Earlier = "\"Sequence\" FROM \"Changes\" WHERE \"At\" < @Before ORDER BY \"At\" DESC, \"Sequence\" DESC";

    private static readonly Statement LatestBefore = new(
        $"SELECT {Earlier} LIMIT 1", $"SELECT TOP (1) {Earlier}", ("Before", DbType.Int64));

    private static readonly Statement Page = new(
        $"SELECT {Columns} {From} LIMIT 1000", $"SELECT TOP (1000) {Columns} {From}", ("After", DbType.Int64));

    public async ValueTask<long> LatestAsync(CancellationToken ct) =>
        (await statements.ListAsync(Latest, [], reader => reader.GetInt64(0), ct))[0];

    public async ValueTask<long> LatestBeforeAsync(DateTimeOffset instant, CancellationToken ct) =>
        (await statements.ListAsync(LatestBefore, [Deeds.Columns.Of(instant)], reader => reader.GetInt64(0), ct)) is [var sequence] ? sequence : 0;

    public ValueTask<IReadOnlyList<Change>> ReadAsync(long after, CancellationToken ct) => statements.ListAsync(
        Page,
        [after],
        reader => new Change(
            reader.GetInt64(0), (ChangeKind)reader.GetInt32(1), reader.GetString(2), reader.Instant(3)),
        ct);
}
