using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests;

/// <summary>The same on PostgreSQL.</summary>
public sealed class PostgresAppServer : AppServer
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
        await base.DisposeAsync();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    /// <summary>Takes the database away under the running server.</summary>
    public Task DropDatabaseAsync(CancellationToken ct) => _postgres!.DropDatabaseAsync(_database!, ct);

    protected override void Configure(IDictionary<string, string?> settings)
    {
        settings["IdentityServer:Database:Provider"] = "PostgreSql";
        settings["IdentityServer:Database:ConnectionString"] = _database;
    }
}
