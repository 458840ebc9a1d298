using System.Data.Common;
using IdentityServer.Protocol.Changes;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace IdentityServer.Storage.Changes;

/// <summary>For databases that tell nobody.</summary>
internal sealed class NoDoorbell : IDoorbell
{
    public Task WaitAsync(CancellationToken ct) => Task.Delay(Timeout.Infinite, ct);
}

/// <summary>
/// PostgreSQL's <c>NOTIFY</c>: sent by the transaction that writes to the log, when it commits. It takes a connection of its own; one through
/// a pooler that hands out sessions by transaction hears nothing, and then the nodes find out by looking.
/// </summary>
internal sealed class PostgreSqlDoorbell(string connectionString, TimeProvider clock) : IDoorbell, IAsyncDisposable
{
    private const string Channel = "identityserver_changes";

    private static readonly TimeSpan BeforeNextTry = TimeSpan.FromSeconds(5);

    private readonly string _connectionString =
        new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, KeepAlive = 30 }.ToString();

    private NpgsqlConnection? _connection;

    /// <summary>Rings when the transaction of the context commits.</summary>
    public static async Task RingAsync(ServerDb db, CancellationToken ct) =>
        await db.Database.ExecuteSqlAsync($"SELECT pg_notify({Channel}, '')", ct);

    public async Task WaitAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                if (_connection is null)
                {
                    _connection = new NpgsqlConnection(_connectionString);
                    await _connection.OpenAsync(ct);
                    await using var listen = new NpgsqlCommand($"LISTEN {Channel}", _connection);
                    await listen.ExecuteNonQueryAsync(ct);
                }

                await _connection.WaitAsync(ct);
                return;
            }
            catch (Exception error) when (error is DbException or IOException or TimeoutException or InvalidOperationException)
            {
                // Whoever needs the database says that it is away; here it only costs speed.
                await CloseAsync();
                await Task.Delay(BeforeNextTry, clock, ct);
            }
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    private async ValueTask CloseAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }
}
