using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage;
using IdentityServer.Storage.Schema;
using IdentityServer.StorageTests.SqlServer;
using IdentityServer.Testing;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace IdentityServer.StorageTests;

/// <summary>A database of the test's own, with the schema in it, and the server's memory on it.</summary>
public sealed class TestStorage : IAsyncDisposable
{
    private static readonly Lazy<Task<byte[]>> SqliteTemplate = new(MakeSqliteTemplateAsync);
    private static readonly Lazy<Task<string>> PostgresTemplate = new(MakePostgresTemplateAsync);

    private readonly ServiceProvider _services;
    private readonly IServiceScope _scope;
    private readonly Func<Task>? _remove;

    private TestStorage(StorageOptions options, Func<Task>? remove)
    {
        Options = options;
        _remove = remove;
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddIdentityServerStorage(options);
        StatementCapture.Current?.Attach(services);
        _services = services.BuildServiceProvider();
        _scope = _services.CreateScope();
    }

    public StorageOptions Options { get; }

    /// <summary>A port, a scoped service, anything the server would get.</summary>
    public T Get<T>()
        where T : notnull => _scope.ServiceProvider.GetRequiredService<T>();

    /// <summary>What is remembered to have ended.</summary>
    public async Task<IReadOnlyList<Revocation>> RevocationsAsync(DateTimeOffset now, CancellationToken ct)
    {
        var all = new List<Revocation>();
        await foreach (var page in Get<IRevocations>().PagesAsync(now, ct))
        {
            all.AddRange(page);
        }

        return all;
    }

    /// <summary>An empty database.</summary>
    public static async Task<TestStorage> EmptyAsync(DatabaseProvider provider, CancellationToken ct)
    {
        switch (provider)
        {
            case DatabaseProvider.Sqlite:
                return OnFile(Directory.CreateTempSubdirectory("identity-storage-").FullName);
            case DatabaseProvider.PostgreSql:
                var server = await TestPostgres.ServerAsync();
                return OnPostgres(server, await server.CreateDatabaseAsync(ct));
            default:
                return OnSqlServer();
        }
    }

    /// <summary>A database with the current schema.</summary>
    public static async Task<TestStorage> OpenAsync(DatabaseProvider provider, CancellationToken ct)
    {
        switch (provider)
        {
            case DatabaseProvider.Sqlite:
                var folder = Directory.CreateTempSubdirectory("identity-storage-").FullName;
                await File.WriteAllBytesAsync(Path.Combine(folder, "test.db"), await SqliteTemplate.Value, ct);
                return OnFile(folder);
            case DatabaseProvider.PostgreSql:
                var server = await TestPostgres.ServerAsync();
                return OnPostgres(server, await server.CreateDatabaseAsync(await PostgresTemplate.Value, ct));
            default:
                var storage = OnSqlServer();
                if (StatementCapture.Current is null)
                {
                    await storage.Get<DatabaseSchema>().MigrateAsync(ct);
                }

                return storage;
        }
    }

    /// <summary>Another node on the same database.</summary>
    public TestStorage AnotherNode() => new(Options, null);

    public async ValueTask DisposeAsync()
    {
        _scope.Dispose();
        if (_remove is not null && Options.Provider == DatabaseProvider.SqlServer)
        {
            await _remove();
            await _services.DisposeAsync();
            return;
        }

        await _services.DisposeAsync();
        if (_remove is not null)
        {
            await _remove();
        }
    }

    private static TestStorage OnFile(string folder) => new(
        new(DatabaseProvider.Sqlite, $"Data Source={Path.Combine(folder, "test.db")}"),
        () =>
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
            return Task.CompletedTask;
        });

    private static TestStorage OnPostgres(PostgresServer server, string connectionString) => new(
        new(DatabaseProvider.PostgreSql, connectionString),
        () => server.DropDatabaseAsync(connectionString, CancellationToken.None));

    private static TestStorage OnSqlServer()
    {
        if (StatementCapture.Current is not null)
        {
            return new(new(DatabaseProvider.SqlServer, "Server=nowhere"), null);
        }

        TestStorage? storage = null;
        storage = new(
            new(DatabaseProvider.SqlServer, new SqlConnectionStringBuilder(Databases.LiveSqlServer)
            {
                InitialCatalog = $"identity_{Guid.NewGuid():N}",
            }.ToString()),
            async () =>
            {
                await using var db = await storage!.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync();
                await db.Database.EnsureDeletedAsync();
            });
        return storage;
    }

    private static async Task<byte[]> MakeSqliteTemplateAsync()
    {
        var folder = Directory.CreateTempSubdirectory("identity-storage-").FullName;
        var file = Path.Combine(folder, "test.db");
        await using (var storage = new TestStorage(new(DatabaseProvider.Sqlite, $"Data Source={file}"), null))
        {
            await storage.Get<DatabaseSchema>().MigrateAsync(CancellationToken.None);
        }

        // The last connection to close takes the log into the file.
        SqliteConnection.ClearAllPools();
        var template = await File.ReadAllBytesAsync(file);
        Directory.Delete(folder, recursive: true);
        return template;
    }

    private static async Task<string> MakePostgresTemplateAsync()
    {
        var server = await TestPostgres.ServerAsync();
        var connectionString = await server.CreateDatabaseAsync(CancellationToken.None);
        await using (var storage = new TestStorage(new(DatabaseProvider.PostgreSql, connectionString), null))
        {
            await storage.Get<DatabaseSchema>().MigrateAsync(CancellationToken.None);
        }

        // A database can only be copied while nobody is connected to it.
        NpgsqlConnection.ClearAllPools();
        return new NpgsqlConnectionStringBuilder(connectionString).Database!;
    }
}
