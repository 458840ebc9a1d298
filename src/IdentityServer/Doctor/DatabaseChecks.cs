using System.Data.Common;
using System.Net.Sockets;
using IdentityServer.Commands;
using IdentityServer.Storage;
using IdentityServer.Storage.Schema;
using Microsoft.Data.Sqlite;

namespace IdentityServer.Doctor;

/// <summary>Whether the database answers, is this server's, and can be written.</summary>
internal static class DatabaseChecks
{
    private const string Database = "database";
    private const string Schema = "schema";
    private const string Folder = "database-folder";

    public static IReadOnlyList<string> Names { get; } = [Database, Schema];

    /// <summary>The findings, and how the schema stands if the database answers.</summary>
    public static async Task<(IReadOnlyList<Finding> Findings, SchemaStatus? Schema)> RunAsync(CommandSession session, CancellationToken ct)
    {
        var file = SqliteFile(session.Settings.Database.ToStorageOptions());
        Finding[] folder = file is null ? [] : [LookAtFolder(file)];
        try
        {
            var status = await session.Get<DatabaseSchema>().StatusAsync(ct);
            var found = file is not null && !File.Exists(file)
                ? Finding.Fail(Database, $"There is no database at {file}.", "Run: identityserver migrate up — or correct IdentityServer:Database:ConnectionString.")
                : Finding.Ok(Database, $"{session.Settings.Database.Provider} answers.");
            return ([.. folder, found, LookAtSchema(status, session.IsDevelopment)], status);
        }
        catch (Exception error) when (FaultOf(error) is { } fault)
        {
            return (
                [
                    .. folder,
                    Finding.Fail(
                        Database,
                        $"{session.Settings.Database.Provider} does not answer: {fault}",
                        "Start the database, or correct IdentityServer:Database:ConnectionString."),
                    Finding.NotLookedAt(Schema, Database),
                ],
                null);
        }
    }

    /// <summary>What a driver says, if it was one; <see langword="null"/> otherwise. First lines name host and reason, never the password.</summary>
    public static string? FaultOf(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is DbException or SocketException)
            {
                return cause.Message.Split('\n')[0].Trim();
            }
        }

        return null;
    }

    private static Finding LookAtSchema(SchemaStatus status, bool isDevelopment)
    {
        if (status.IsNewer)
        {
            return Finding.Fail(
                Schema, $"A newer server migrated the database (it has {string.Join(", ", status.Unknown)}).", "Use the version that migrated it.");
        }

        if (status.IsCurrent)
        {
            return Finding.Ok(Schema, $"Current: {status.Applied[^1]}.");
        }

        var older = $"{status.Pending.Count} migration(s) are missing: {string.Join(", ", status.Pending)}.";
        return isDevelopment
            ? Finding.Warn(Schema, older, "Start the server: in Development it brings the schema up.")
            : Finding.Fail(Schema, older, "Run: identityserver migrate up");
    }

    private static string? SqliteFile(StorageOptions options) =>
        options.Provider == DatabaseProvider.Sqlite
        && new SqliteConnectionStringBuilder(options.ConnectionString).DataSource is var source
        && !source.StartsWith("file:", StringComparison.OrdinalIgnoreCase)
            ? Path.GetFullPath(source)
            : null;

    // SQLite writes beside its file too. Only trying tells, as rights are given in many ways; the file goes as it is closed.
    private static Finding LookAtFolder(string file)
    {
        var folder = Path.GetDirectoryName(file)!;
        if (!Directory.Exists(folder))
        {
            return Finding.Warn(Folder, $"There is no folder {folder} yet.", "Run: identityserver migrate up, which makes it.");
        }

        try
        {
            using (new FileStream(
                Path.Combine(folder, $".doctor-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
            {
            }

            return File.Exists(file) && File.GetAttributes(file).HasFlag(FileAttributes.ReadOnly)
                ? Finding.Fail(Folder, $"{file} is read-only.", "Let the user that the server runs as write it.")
                : Finding.Ok(Folder, $"{folder} can be written.");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return Finding.Fail(Folder, $"{folder} cannot be written: {error.Message}", "Let the user that the server runs as write it, and see that the disk has room.");
        }
    }
}
