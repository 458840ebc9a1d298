using IdentityServer.Protocol.Keys;
using IdentityServer.Storage;
using IdentityServer.Storage.Schema;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace IdentityServer.StorageTests.Schema;

public sealed class DatabaseSchemaContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_empty_database_waits_for_every_migration(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.EmptyAsync(provider, Ct);
        var schema = storage.Get<DatabaseSchema>();

        var before = await schema.StatusAsync(Ct);
        Assert.Empty(before.Applied);
        Assert.NotEmpty(before.Pending);
        Assert.Empty((await schema.StatusAsync(Ct)).Applied);
        var after = await schema.MigrateAsync(Ct);

        Assert.True(after.IsCurrent);
        Assert.Equal(before.Pending, after.Applied);
        Assert.True((await schema.MigrateAsync(Ct)).IsCurrent);
        Assert.True((await schema.StatusAsync(Ct)).IsCurrent);
    }

    [Fact]
    public async Task Asking_for_the_status_makes_no_file()
    {
        await using var storage = await TestStorage.EmptyAsync(DatabaseProvider.Sqlite, Ct);

        await storage.Get<DatabaseSchema>().StatusAsync(Ct);

        Assert.False(File.Exists(new SqliteConnectionStringBuilder(storage.Options.ConnectionString).DataSource));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_database_that_is_not_there_yet_is_made(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.EmptyAsync(provider, Ct);
        if (provider != DatabaseProvider.Sqlite)
        {
            await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
            await db.Database.EnsureDeletedAsync(Ct);
        }

        Assert.Empty((await storage.Get<DatabaseSchema>().StatusAsync(Ct)).Applied);
        Assert.True((await storage.Get<DatabaseSchema>().MigrateAsync(Ct)).IsCurrent);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_database_of_a_newer_server_is_recognised_and_left_alone(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            var insert = db.GetService<IHistoryRepository>().GetInsertScript(new HistoryRow("29990101000000_Future", "99.0.0"));
            await db.Database.ExecuteSqlRawAsync(insert, Ct);
        }

        var status = await storage.Get<DatabaseSchema>().StatusAsync(Ct);

        Assert.True(status.IsNewer);
        Assert.False(status.IsCurrent);
        Assert.Equal(["29990101000000_Future"], status.Unknown);
        await Assert.ThrowsAsync<InvalidOperationException>(() => storage.Get<DatabaseSchema>().MigrateAsync(Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Nodes_that_migrate_at_once_all_end_with_the_current_schema(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.EmptyAsync(provider, Ct);
        await using var second = storage.AnotherNode();
        await using var third = storage.AnotherNode();
        TestStorage[] nodes = [storage, second, third];

        var after = await AtOnceAsync(3, i => nodes[i].Get<DatabaseSchema>().MigrateAsync(Ct));

        Assert.All(after, status => Assert.True(status.IsCurrent));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_key_of_the_first_schema_goes_on_signing_after_the_migration(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.EmptyAsync(provider, Ct);
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            await db.GetService<IMigrator>().MigrateAsync("20261121000000_Initial", Ct);
            await db.Database.ExecuteSqlRawAsync(
                """
                INSERT INTO "SigningKeys" ("Kid", "Algorithm", "Predecessor", "CreatedAt", "ActiveFrom", "PublicJwk", "MasterKeyId")
                VALUES ('k1', 'ES256', '', 1000, 1000, '{{}}', 'm'), ('k2', 'ES256', 'k1', 2000, 9000, '{{}}', 'm')
                """,
                Ct);
        }

        Assert.True((await storage.Get<DatabaseSchema>().MigrateAsync(Ct)).IsCurrent);

        var rows = await storage.Get<IKeyStore>().LoadAsync(Ct);
        var timeline = rows.TimelineOf("ES256", new KeyPolicy());
        Assert.Equal(1, Assert.Single(rows.Plans).Version);
        Assert.Equal("k1", timeline.SigningAt(DateTimeOffset.FromUnixTimeMilliseconds(8999))?.Kid);
        Assert.Equal("k2", timeline.SigningAt(DateTimeOffset.FromUnixTimeMilliseconds(9000))?.Kid);
    }

    [Fact]
    public async Task A_lock_left_by_a_killed_process_does_not_block_migrating()
    {
        await using var storage = await TestStorage.EmptyAsync(DatabaseProvider.Sqlite, Ct);
        await using (var connection = new SqliteConnection(storage.Options.ConnectionString))
        {
            await connection.OpenAsync(Ct);
            await using var command = connection.CreateCommand();
            command.CommandText = """
                CREATE TABLE "__EFMigrationsLock" ("Id" INTEGER NOT NULL PRIMARY KEY, "Timestamp" TEXT NOT NULL);
                INSERT INTO "__EFMigrationsLock" VALUES (1, '2020-01-01');
                """;
            await command.ExecuteNonQueryAsync(Ct);
        }

        Assert.True((await storage.Get<DatabaseSchema>().MigrateAsync(Ct)).IsCurrent);
    }

    [Theory, MemberData(nameof(Databases.Built), MemberType = typeof(Databases))]
    public void The_model_and_its_migrations_agree(DatabaseProvider provider)
    {
        var options = new StorageOptions(provider, provider switch
        {
            DatabaseProvider.Sqlite => "Data Source=nowhere.db",
            DatabaseProvider.PostgreSql => "Host=nowhere",
            _ => "Server=nowhere",
        });
        using var db = new ServerDb(
            (DbContextOptions<ServerDb>)StorageServices.Configure(new DbContextOptionsBuilder<ServerDb>(), options).Options);

        Assert.False(db.Database.HasPendingModelChanges());
    }
}
