using IdentityServer.Keys;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Keys;
using IdentityServer.Storage.DataProtection;
using IdentityServer.Storage.Schema;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>A database with signing keys and a Data Protection ring in it, and master keys to start servers with. They are prepared, but listen nowhere.</summary>
internal sealed class KeyedDatabase : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("identityserver-keys-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public string Folder => _folder.FullName;

    /// <summary>What the last server logged.</summary>
    public ServerLog Log { get; private set; } = new();

    private string ConnectionString => $"Data Source={Folder}/server.db";

    /// <summary>Holds two signing keys and one Data Protection key, sealed under this master key.</summary>
    public static async Task<KeyedDatabase> CreateAsync(string masterKeyPath = "one.key")
    {
        var database = new KeyedDatabase();
        database.NewKey(masterKeyPath);
        await using var server = await database.StartAsync(("Path", masterKeyPath));
        server.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test").Protect("text");
        return database;
    }

    /// <summary>A new master key in PEM; its id.</summary>
    public string NewKey(string path)
    {
        var key = MasterKey.Create(isForDevelopment: false);
        Assert.True(MasterKeyFile.TryWriteNew(Path.Combine(Folder, path), key));
        return key.Id;
    }

    /// <summary>A server as far as it gets before it listens, with these settings below <c>IdentityServer:MasterKey</c>; relative paths are in the folder.</summary>
    public async Task<WebApplication> StartAsync(params (string Name, string Value)[] masterKey)
    {
        Log = new ServerLog();
        var app = ServerHost.Build([], builder =>
        {
            builder.Environment.EnvironmentName = Environments.Production;
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["IdentityServer:Issuer"] = "https://id.example",
                ["IdentityServer:Database:ConnectionString"] = ConnectionString,
            });
            builder.Configuration.AddInMemoryCollection(masterKey.Select(setting => KeyValuePair.Create(
                $"IdentityServer:MasterKey:{setting.Name}",
                (string?)(setting.Name.EndsWith("Path", StringComparison.Ordinal) ? Path.Combine(Folder, setting.Value) : setting.Value))));
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(Log);
        });
        try
        {
            await app.Services.GetRequiredService<DatabaseSchema>().MigrateAsync(Ct);
            await ServerHost.PrepareAsync(app, Ct);
            return app;
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Why a server does not start; nothing in the database is any different afterwards.</summary>
    public async Task<string> RefusalAsync(params (string Name, string Value)[] masterKey)
    {
        var before = await ContentAsync();
        var error = await Assert.ThrowsAsync<MasterKeyException>(() => StartAsync(masterKey));
        Assert.Equal(before, await ContentAsync());
        return error.Message;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new SqliteConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the test
        command.CommandText = sql;
#pragma warning restore CA2100
        Assert.True(await command.ExecuteNonQueryAsync(Ct) > 0, "Nothing was changed.");
    }

    public async Task<IReadOnlyList<string>> ContentAsync()
    {
        await using var connection = new SqliteConnection(ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
        command.CommandText =
            """
            SELECT "Kid" || ' ' || "MasterKeyId" || ' ' || COALESCE(hex("SealedPrivateKey"), '') || ' ' || "PublicJwk" FROM "SigningKeys"
            UNION ALL SELECT "Xml" FROM "DataProtectionKeys"
            UNION ALL SELECT "Type" || ' ' || COALESCE("Detail", '') FROM "AuditEvents"
            """;
        await using var reader = await command.ExecuteReaderAsync(Ct);
        var rows = new List<string>();
        while (await reader.ReadAsync(Ct))
        {
            rows.Add(reader.GetString(0));
        }

        return rows;
    }

    public static async Task<IReadOnlyList<SigningKey>> SigningKeysAsync(WebApplication server) =>
        await server.Services.GetRequiredService<IKeyStore>().ListAsync(Ct);

    public static async Task<IReadOnlyList<DataProtectionKey>> RingAsync(WebApplication server) =>
        await server.Services.GetRequiredService<IDataProtectionKeys>().ListAsync(Ct);

    public static async Task<IReadOnlyList<AuditEvent>> ResealedAsync(WebApplication server) =>
    [
        .. (await server.Services.GetRequiredService<IAuditLog>().LatestAsync(100, Ct))
            .Where(audit => audit.Type == AuditTypes.KeyResealed),
    ];

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
