using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;

namespace IdentityServer.Storage.Schema;

/// <summary>How the database's schema compares with the one this server was built for.</summary>
/// <param name="Applied">Migrations the database has, in order.</param>
/// <param name="Pending">Those it still needs: the database is older than the server.</param>
/// <param name="Unknown">Those this server has never heard of: the database is newer than the server.</param>
public sealed record SchemaStatus(
    IReadOnlyList<string> Applied, IReadOnlyList<string> Pending, IReadOnlyList<string> Unknown)
{
    public bool IsCurrent => Pending.Count == 0 && Unknown.Count == 0;

    /// <summary>A newer server was here: this one must not touch the database.</summary>
    public bool IsNewer => Unknown.Count > 0;
}

/// <summary>The schema's version: read at every start, changed by <c>migrate up</c>.</summary>
public sealed class DatabaseSchema(IDbContextFactory<ServerDb> databases, StorageOptions options)
{
    /// <summary>Costs one query when the database is there.</summary>
    public async Task<SchemaStatus> StatusAsync(CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        var known = db.Database.GetMigrations().ToArray();
        var applied = await AppliedAsync(db, ct);
        return new(
            applied,
            [.. known.Except(applied, StringComparer.Ordinal)],
            [.. applied.Except(known, StringComparer.Ordinal)]);
    }

    /// <summary>Brings the schema up to this server's, creating the database if need be. Two nodes may do so at once.</summary>
    /// <exception cref="InvalidOperationException">The database is newer than this server.</exception>
    public async Task<SchemaStatus> MigrateAsync(CancellationToken ct)
    {
        var status = await StatusAsync(ct);
        if (status.IsNewer)
        {
            throw new InvalidOperationException(
                $"The database was migrated by a newer server (it has {string.Join(", ", status.Unknown)}). Start that version.");
        }

        if (status.IsCurrent)
        {
            return status;
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        using var alone = options.Provider == DatabaseProvider.Sqlite ? await SqliteMigrationLock.TakeAsync(db, ct) : null;
        await db.Database.MigrateAsync(ct);
        return await StatusAsync(ct);
    }

    private static async Task<IReadOnlyList<string>> AppliedAsync(ServerDb db, CancellationToken ct)
    {
        // Opening would create it.
        if (db.Database.GetDbConnection() is SqliteConnection sqlite && !File.Exists(sqlite.DataSource))
        {
            return [];
        }

        var history = db.GetService<IHistoryRepository>();
        try
        {
            return [.. (await history.GetAppliedMigrationsAsync(ct)).Select(row => row.MigrationId)];
        }
        catch (DbException)
        {
            // No database or no history table yet, or a real failure.
            var exists = await db.GetService<IRelationalDatabaseCreator>().ExistsAsync(ct) && await history.ExistsAsync(ct);
            if (exists)
            {
                throw;
            }

            return [];
        }
    }
}
