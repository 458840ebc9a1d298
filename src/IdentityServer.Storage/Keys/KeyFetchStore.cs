using System.Data;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Keys;

internal sealed class KeyFetchStore(IStatements statements, IDeeds deeds) : IKeyFetchStore
{
    private static readonly Statement All =
        new("""SELECT "ClientId", "Kid", "FirstAt", "LastAt", "Count" FROM "KeyFetches" ORDER BY "ClientId", "Kid" """);

    private static readonly Tally Fetches = new(
        new Statement(
            """
            UPDATE "KeyFetches" SET "LastAt" = @LastAt, "Count" = "Count" + @Count WHERE "ClientId" = @ClientId AND "Kid" = @Kid
            """,
            ("LastAt", DbType.Int64),
            ("Count", DbType.Int64),
            ("ClientId", DbType.AnsiString),
            ("Kid", DbType.AnsiString)),
        Statement.Insert(
            "KeyFetches",
            condition: null,
            ("ClientId", DbType.AnsiString),
            ("Kid", DbType.AnsiString),
            ("FirstAt", DbType.Int64),
            ("LastAt", DbType.Int64),
            ("Count", DbType.Int64)));

    public ValueTask<IReadOnlyList<KeyFetch>> ListAsync(CancellationToken ct) => statements.ListAsync(
        All,
        [],
        reader => new KeyFetch(reader.GetString(0), reader.GetString(1), reader.Instant(2), reader.Instant(3), reader.GetInt64(4)),
        ct);

    public async ValueTask AddAsync(IReadOnlyList<KeyFetch> fetches, CancellationToken ct)
    {
        foreach (var fetch in fetches)
        {
            await Fetches.AddAsync(
                deeds,
                [Columns.Of(fetch.LastAt), fetch.Count, fetch.ClientId, fetch.Kid],
                [fetch.ClientId, fetch.Kid, Columns.Of(fetch.FirstAt), Columns.Of(fetch.LastAt), fetch.Count],
                ct);
        }
    }
}

internal sealed class KeyFetchMapping : IEntityTypeConfiguration<KeyFetch>
{
    public void Configure(EntityTypeBuilder<KeyFetch> builder)
    {
        builder.ToTable("KeyFetches");
        builder.HasKey(fetch => new { fetch.ClientId, fetch.Kid });
        builder.Property(fetch => fetch.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.Property(fetch => fetch.Kid).IsIdentifier();
    }
}
