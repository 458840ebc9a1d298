using IdentityServer.Storage;
using IdentityServer.Storage.Schema;
using IdentityServer.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace IdentityServer.StorageTests;

/// <summary>A database of the test's own, with the schema in it, and the server's memory on it.</summary>
public sealed class TestStorage : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> Postgres =
        new(() => PostgresServer.StartAsync(durable: false, CancellationToken.None));

    private readonly ServiceProvider _services;
    private readonly IServiceScope _scope;
    private readonly string? _folder;

    private TestStorage(StorageOptions options, string? folder)
    {
        Options = options;
        _folder = folder;
        _services = Services(options);
        _scope = _services.CreateScope();
    }

    public StorageOptions Options { get; }

    /// <summary>A port, a scoped service, anything the server would get.</summary>
    public T Get<T>()
        where T : notnull => _scope.ServiceProvider.GetRequiredService<T>();

    /// <summary>An empty database.</summary>
    public static async Task<TestStorage> EmptyAsync(DatabaseProvider provider, CancellationToken ct)
    {
        switch (provider)
        {
            case DatabaseProvider.Sqlite:
                var folder = Directory.CreateTempSubdirectory("identity-storage-").FullName;
                return new(new(provider, $"Data Source={Path.Combine(folder, "test.db")}"), folder);
            case DatabaseProvider.PostgreSql:
                var server = await Postgres.Value;
                return new(new(provider, await server.CreateDatabaseAsync(ct)), null);
            default:
                throw new NotSupportedException();
        }
    }

    /// <summary>A database with the current schema.</summary>
    public static async Task<TestStorage> OpenAsync(DatabaseProvider provider, CancellationToken ct)
    {
        var storage = await EmptyAsync(provider, ct);
        await storage.Get<DatabaseSchema>().MigrateAsync(ct);
        return storage;
    }

    /// <summary>Another node on the same database.</summary>
    public TestStorage AnotherNode() => new(Options, null);

    public async ValueTask DisposeAsync()
    {
        _scope.Dispose();
        await _services.DisposeAsync();
        SqliteConnection.ClearAllPools();
        NpgsqlConnection.ClearAllPools();
        if (_folder is not null)
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private static ServiceProvider Services(StorageOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddIdentityServerStorage(options);
        return services.BuildServiceProvider();
    }
}
