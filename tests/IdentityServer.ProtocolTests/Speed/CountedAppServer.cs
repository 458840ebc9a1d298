using Npgsql;

namespace IdentityServer.ProtocolTests.Speed;

/// <summary>A server on PostgreSQL whose database commands are counted.</summary>
public sealed class CountedAppServer : PostgresAppServer
{
    internal CommandCounter Commands { get; private set; } = null!;

    public override async ValueTask DisposeAsync()
    {
        Commands.Dispose();
        await base.DisposeAsync();
    }

    protected override void Configure(IDictionary<string, string?> settings)
    {
        base.Configure(settings);
        var connection = settings["IdentityServer:Database:ConnectionString"];
        Commands = new CommandCounter(new NpgsqlConnectionStringBuilder(connection).Database!);
    }
}
