using System.Data;
using IdentityServer.Protocol.Changes;
using IdentityServer.Storage.Deeds;

namespace IdentityServer.Storage.Changes;

internal sealed class ChangeLog(IStatements statements) : IChangeLog
{
    private const string Columns = "\"Sequence\", \"Kind\", \"Key\", \"At\"";
    private const string From = "FROM \"Changes\" WHERE \"Sequence\" > @After ORDER BY \"Sequence\"";

    private static readonly Statement Latest = new("""SELECT COALESCE(MAX("Sequence"), 0) FROM "Changes" """);

    private static readonly Statement Page = new(
        $"SELECT {Columns} {From} LIMIT 1000", $"SELECT TOP (1000) {Columns} {From}", ("After", DbType.Int64));

    public async ValueTask<long> LatestAsync(CancellationToken ct) =>
        (await statements.ListAsync(Latest, [], reader => reader.GetInt64(0), ct))[0];

    public ValueTask<IReadOnlyList<Change>> ReadAsync(long after, CancellationToken ct) => statements.ListAsync(
        Page,
        [after],
        reader => new Change(
            reader.GetInt64(0), (ChangeKind)reader.GetInt32(1), reader.GetString(2), reader.Instant(3)),
        ct);
}
