using IdentityServer.Testing;
using Npgsql;

namespace IdentityServer.ProtocolTests;

/// <summary>The same on PostgreSQL.</summary>
public class PostgresAppServer : AppServer
{
    private PostgresServer? _postgres;
    private string? _database;

    public override async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        _postgres = await PostgresServer.StartAsync(durable: false, ct);
        _database = await _postgres.CreateDatabaseAsync(ct);
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    /// <summary>Takes the database away under the running server.</summary>
    public async Task DropDatabaseAsync(CancellationToken ct)
    {
        var server = new NpgsqlConnectionStringBuilder(_database);
        var name = server.Database;
        server.Database = "postgres";
        server.Pooling = false;
        await using var connection = new NpgsqlConnection(server.ToString());
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        command.CommandText = $"DROP DATABASE {name} WITH (FORCE)";
        await command.ExecuteNonQueryAsync(ct);
    }

    protected override void Configure(IDictionary<string, string?> settings)
    {
        settings["IdentityServer:Database:Provider"] = "PostgreSql";
        settings["IdentityServer:Database:ConnectionString"] = _database;
    }
}
