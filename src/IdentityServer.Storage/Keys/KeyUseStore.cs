using System.Data;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace IdentityServer.Storage.Keys;

internal sealed class KeyUseStore(IStatements statements, IDeeds deeds) : IKeyUseStore
{
    private static readonly Statement Alive = new(
        """SELECT "Kid", "ClientId", "Until", "Count" FROM "KeyUses" WHERE "Until" > @Now""", ("Now", DbType.Int64));

    private static readonly Tally Uses = new(
        new Statement(
            """
            UPDATE "KeyUses" SET "Count" = "Count" + @Count WHERE "Kid" = @Kid AND "ClientId" = @ClientId AND "Until" = @Until
            """,
            ("Count", DbType.Int64),
            ("Kid", DbType.AnsiString),
            ("ClientId", DbType.AnsiString),
            ("Until", DbType.Int64)),
        Statement.Insert(
            "KeyUses",
            condition: null,
            ("Kid", DbType.AnsiString),
            ("ClientId", DbType.AnsiString),
            ("Until", DbType.Int64),
            ("Count", DbType.Int64)));

    public ValueTask<IReadOnlyList<KeyUse>> ListAsync(DateTimeOffset now, CancellationToken ct) => statements.ListAsync(
        Alive,
        [Columns.Of(now)],
        reader => new KeyUse(reader.GetString(0), reader.GetString(1), reader.Instant(2), reader.GetInt64(3)),
        ct);

    public async ValueTask AddAsync(IReadOnlyList<KeyUse> uses, CancellationToken ct)
    {
        foreach (var use in uses)
        {
            await Uses.AddAsync(
                deeds,
                [use.Count, use.Kid, use.ClientId, Columns.Of(use.Until)],
                [use.Kid, use.ClientId, Columns.Of(use.Until), use.Count],
                ct);
        }
    }
}

internal sealed class KeyUseMapping : IEntityTypeConfiguration<KeyUse>
{
    public void Configure(EntityTypeBuilder<KeyUse> builder)
    {
        builder.ToTable("KeyUses");
        builder.HasKey(use => new { use.Kid, use.ClientId, use.Until });
        builder.Property(use => use.Kid).IsIdentifier();
        builder.Property(use => use.ClientId).IsIdentifier(Identifiers.NameLength);
        builder.HasIndex(use => use.Until);
    }
}
