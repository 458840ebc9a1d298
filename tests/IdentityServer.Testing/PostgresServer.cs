using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace IdentityServer.Testing;

/// <summary>
/// A PostgreSQL of one's own: started from the machine's binaries in a temporary folder, reachable only through a socket in that folder,
/// and gone when disposed. <c>IDENTITY_TEST_POSTGRES</c> may name an existing server instead (a connection string of a user who may
/// create databases).
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string ExistingServer = "IDENTITY_TEST_POSTGRES";
    private const string Superuser = "identity";

    private readonly string? _folder;
    private readonly string? _controller;
    private readonly string _administration;
    private int _databases;

    private PostgresServer(string? folder, string? controller, string administration)
    {
        (_folder, _controller, _administration) = (folder, controller, administration);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop();
    }

    /// <summary>Starts a server.</summary>
    /// <param name="durable">
    /// True for measurements and for tests that kill things: every commit is flushed. False is faster and as good for everything else.
    /// </param>
    /// <param name="ct">Stops waiting.</param>
    /// <exception cref="InvalidOperationException">None can be started; the message says what to install.</exception>
    public static async Task<PostgresServer> StartAsync(bool durable, CancellationToken ct)
    {
        if (Environment.GetEnvironmentVariable(ExistingServer) is { Length: > 0 } existing)
        {
            return new(null, null, existing);
        }

        var initdb = Find("initdb");
        var controller = Find("pg_ctl");
        var folder = Directory.CreateTempSubdirectory("idpg-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            // PostgreSQL refuses to run as root.
            await RunAsync("chown", ["-R", "nobody", folder], ct);
        }

        var data = Path.Combine(folder, "data");
        await RunAsUserAsync(initdb, ["-D", data, "-U", Superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], ct);
        var settings = $"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=400"
            + (durable ? "" : " -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        var log = Path.Combine(folder, "log");
        try
        {
            await RunAsUserAsync(controller, ["-D", data, "-l", log, "-w", "-t", "60", "-o", settings, "start"], ct);
        }
        catch (InvalidOperationException error) when (File.Exists(log))
        {
            throw new InvalidOperationException($"{error.Message}\n{await File.ReadAllTextAsync(log, ct)}", error);
        }

        return new(folder, controller, $"Host={folder};Username={Superuser};Database=postgres");
    }

    /// <summary>A connection string to a new, empty database.</summary>
    /// <param name="template">A database to copy, by name; nobody may be connected to it.</param>
    /// <param name="ct">Stops waiting.</param>
    public async Task<string> CreateDatabaseAsync(string template, CancellationToken ct)
    {
        var name = string.Create(
            CultureInfo.InvariantCulture,
            $"identity_{Environment.ProcessId}_{Interlocked.Increment(ref _databases)}_{Guid.NewGuid():N}")[..40];
        await AdministerAsync($"CREATE DATABASE {name} TEMPLATE {template}", ct);
        return new NpgsqlConnectionStringBuilder(_administration) { Database = name }.ToString();
    }

    /// <inheritdoc cref="CreateDatabaseAsync(string, CancellationToken)"/>
    public Task<string> CreateDatabaseAsync(CancellationToken ct) => CreateDatabaseAsync("template0", ct);

    /// <summary>Removes a database that <see cref="CreateDatabaseAsync(CancellationToken)"/> made, whoever is still connected.</summary>
    public Task DropDatabaseAsync(string connectionString, CancellationToken ct) =>
        AdministerAsync($"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)", ct);

    public ValueTask DisposeAsync()
    {
        Stop();
        return ValueTask.CompletedTask;
    }

    private async Task AdministerAsync(string statement, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_administration) { Pooling = false }.ToString());
        await connection.OpenAsync(ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names of databases cannot be parameters; they are made here
        command.CommandText = statement;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(ct);
    }

    private void Stop()
    {
        if (_folder is null || !Directory.Exists(_folder))
        {
            return;
        }

        RunAsUserAsync(_controller!, ["-D", Path.Combine(_folder, "data"), "-m", "immediate", "-w", "stop"], CancellationToken.None)
            .GetAwaiter().GetResult();
        Directory.Delete(_folder, recursive: true);
    }

    private static string Find(string program)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).AsEnumerable();
        const string Debian = "/usr/lib/postgresql";
        if (Directory.Exists(Debian))
        {
            folders = folders.Concat(Directory.GetDirectories(Debian).OrderDescending().Select(v => Path.Combine(v, "bin")));
        }

        return folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException(
                $"The tests need PostgreSQL, and '{program}' was not found on PATH or in {Debian}/*/bin. "
                + $"Install it (Debian: apt-get install postgresql) or let {ExistingServer} name a server.");
    }

    private static Task RunAsUserAsync(string program, string[] arguments, CancellationToken ct) =>
        Environment.IsPrivilegedProcess
            ? RunAsync("runuser", ["-u", "nobody", "--", program, .. arguments], ct)
            : RunAsync(program, arguments, ct);

    private static async Task RunAsync(string program, string[] arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)} failed: {await output} {await errors}");
        }
    }
}
