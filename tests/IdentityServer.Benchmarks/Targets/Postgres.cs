using System.Globalization;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>A PostgreSQL of our own in a temporary folder, with its durability as installed: a commit waits for the disk.</summary>
internal sealed class Postgres : IAsyncDisposable
{
    // PostgreSQL refuses to run as root; Debian's package brings this account.
    private const string Account = "postgres";
    private static readonly Dictionary<string, string> NoEnvironment = [];
    private readonly string _folder;

    private Postgres(string folder, int port)
    {
        _folder = folder;
        ConnectionString = $"Host=127.0.0.1;Port={port};Username={Account};Database={Account}";
    }

    public string ConnectionString { get; }

    public static async Task<Postgres> StartAsync(CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("bench-postgres-").FullName;
        if (Environment.IsPrivilegedProcess)
        {
            await ServerProcess.RunAsync("chown", [Account, folder], NoEnvironment, null, ct);
        }

        var port = ServerProcess.FreePort();
        var postgres = new Postgres(folder, port);
        await RunAsync(["initdb", "-D", $"{folder}/data", "-A", "trust", "-U", Account, "--locale=C", "-E", "UTF8"], ct);
        var settings = string.Create(
            CultureInfo.InvariantCulture, $"-p {port} -k {folder} -c listen_addresses=127.0.0.1");
        await RunAsync(["pg_ctl", "start", "-w", "-D", $"{folder}/data", "-l", $"{folder}/log", "-o", settings], ct);
        return postgres;
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync(["pg_ctl", "stop", "-m", "immediate", "-D", $"{_folder}/data"], CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    private static Task RunAsync(string[] command, CancellationToken ct) => Environment.IsPrivilegedProcess
        ? ServerProcess.RunAsync("runuser", ["-u", Account, "--", .. command], NoEnvironment, null, ct)
        : ServerProcess.RunAsync(command[0], command[1..], NoEnvironment, null, ct);
}
