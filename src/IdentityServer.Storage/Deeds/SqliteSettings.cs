using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace IdentityServer.Storage.Deeds;

/// <summary>
/// What every SQLite connection is told: write-ahead log, flush at every commit (an answered token must survive a power cut), wait
/// up to 5 s for another writer, mind foreign keys.
/// </summary>
internal sealed class SqliteSettings : DbConnectionInterceptor
{
    private static readonly ConditionalWeakTable<object, object> Applied = [];

    /// <summary>Connections are pooled: the settings stay with the native handle, so each handle is told once.</summary>
    public static void Apply(SqliteConnection connection)
    {
        if (connection.Handle is { } handle && Applied.TryAdd(handle, handle))
        {
            using var command = connection.CreateCommand();
            command.CommandText = """
                PRAGMA busy_timeout = 5000;
                PRAGMA journal_mode = WAL;
                PRAGMA synchronous = FULL;
                PRAGMA foreign_keys = ON;
                """;
            command.ExecuteNonQuery();
        }
    }

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) =>
        Apply((SqliteConnection)connection);

    public override Task ConnectionOpenedAsync(
        DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Apply((SqliteConnection)connection);
        return Task.CompletedTask;
    }
}
