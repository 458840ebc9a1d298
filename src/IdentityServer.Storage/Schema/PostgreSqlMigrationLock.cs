using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace IdentityServer.Storage.Schema;

/// <summary>
/// Lets one node migrate a PostgreSQL database at a time. EF Core's own lock goes with the transaction of each migration, so that a
/// second node would come in between two of them and do again what the first is doing. This one belongs to a connection, and goes
/// away with it.
/// </summary>
internal static class PostgreSqlMigrationLock
{
    // Any number that is ours alone among those who use advisory locks in this database.
    private const long Number = 0x1D5E_4E17;

    private const int PatienceSeconds = 600;

    public static async Task<IAsyncDisposable> TakeAsync(ServerDb db, string connectionString, CancellationToken ct)
    {
        await MakeDatabaseAsync(db, ct);
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ToString());
        try
        {
            await connection.OpenAsync(ct);
            await using var command = new NpgsqlCommand("SELECT pg_advisory_lock($1)", connection);
            command.Parameters.Add(new() { Value = Number });
            command.CommandTimeout = PatienceSeconds;
            await command.ExecuteNonQueryAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    // There has to be one to connect to.
    private static async Task MakeDatabaseAsync(ServerDb db, CancellationToken ct)
    {
        var creator = (RelationalDatabaseCreator)db.GetService<IDatabaseCreator>();
        try
        {
            if (!await creator.ExistsAsync(ct))
            {
                await creator.CreateAsync(ct);
            }
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another node was first.
        }
    }
}
