using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Schema;

/// <summary>
/// Lets one process migrate a SQLite file at a time. EF Core keeps a row as its lock, which a killed process would leave behind for
/// ever; a lock on a file beside the database goes away with its process, and whoever holds it may clear such a row.
/// </summary>
internal static class SqliteMigrationLock
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private const int Tries = 600;

    public static async Task<IAsyncDisposable> TakeAsync(ServerDb db, CancellationToken ct)
    {
        var connection = (SqliteConnection)db.Database.GetDbConnection();
        var path = Path.GetFullPath(connection.DataSource);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var held = await LockAsync(path + "-migrating", ct);
        if (File.Exists(path))
        {
            await db.Database.OpenConnectionAsync(ct);
            await using var command = connection.CreateCommand();
            command.CommandText = "DROP TABLE IF EXISTS \"__EFMigrationsLock\"";
            await command.ExecuteNonQueryAsync(ct);
            await db.Database.CloseConnectionAsync();
        }

        return held;
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(
                    path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (attempt < Tries)
            {
                await Task.Delay(Pause, ct);
            }
        }
    }
}
