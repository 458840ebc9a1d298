using System.Data.Common;
using System.Reflection;
using IdentityServer.Storage.Deeds;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

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
public sealed class DatabaseSchema
{
    private static readonly Statement History =
        new("""SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY "MigrationId" """);

    private const int SqliteError = 1;
    private const int SqlServerUnknownObject = 208;
    private const int SqlServerUnknownDatabase = 4060;

    private readonly IDbContextFactory<ServerDb> _databases;
    private readonly IStatements _statements;
    private readonly StorageOptions _options;

    internal DatabaseSchema(IDbContextFactory<ServerDb> databases, IStatements statements, StorageOptions options) =>
        (_databases, _statements, _options) = (databases, statements, options);

    /// <summary>Costs one query when the database is there, and does not wake EF Core.</summary>
    public async Task<SchemaStatus> StatusAsync(CancellationToken ct)
    {
        var known = Known();
        var applied = await AppliedAsync(ct);
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

        await using var db = await _databases.CreateDbContextAsync(ct);
        await using var alone = _options.Provider switch
        {
            DatabaseProvider.Sqlite => await SqliteMigrationLock.TakeAsync(db, ct),
            DatabaseProvider.PostgreSql => await PostgreSqlMigrationLock.TakeAsync(db, _options.ConnectionString, ct),
            _ => null, // on SQL Server, EF Core's own lock lasts from the first migration to the last
        };
        await db.Database.MigrateAsync(ct);
        return await StatusAsync(ct);
    }

    // As EF Core finds them, but without its model.
    private string[] Known() =>
    [
        .. Assembly.Load(StorageServices.MigrationsAssembly(_options.Provider)).GetTypes()
            .Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id)
            .OfType<string>()
            .Order(StringComparer.Ordinal),
    ];

    private async Task<IReadOnlyList<string>> AppliedAsync(CancellationToken ct)
    {
        // Opening would create it.
        if (_options.Provider == DatabaseProvider.Sqlite
            && !File.Exists(new SqliteConnectionStringBuilder(_options.ConnectionString).DataSource))
        {
            return [];
        }

        try
        {
            return await _statements.ListAsync(History, [], reader => reader.GetString(0), ct);
        }
        catch (DbException error) when (IsNotThereYet(error))
        {
            return [];
        }
    }

    /// <summary>No database yet, or no table of migrations in it.</summary>
    private static bool IsNotThereYet(DbException error) => error switch
    {
        SqliteException { SqliteErrorCode: SqliteError } => true, // the statement is a constant: only its table can be missing
        PostgresException { SqlState: PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidCatalogName } => true,
        SqlException { Number: SqlServerUnknownObject or SqlServerUnknownDatabase } => true,
        _ => false,
    };
}
