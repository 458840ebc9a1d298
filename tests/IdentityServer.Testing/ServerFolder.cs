using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace IdentityServer.Testing;

/// <summary>What a command printed and how it ended.</summary>
public sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    /// <summary>The output as JSON; fails when the command failed.</summary>
    public JsonObject Json
    {
        get
        {
            Expect();
            return JsonNode.Parse(Output)!.AsObject();
        }
    }

    /// <summary>Fails when the command failed.</summary>
    public void Expect() => Check.That(ExitCode == 0, $"The command ended with {ExitCode}:\n{Output}\n{Errors}");
}

/// <summary>
/// A folder with a server's database and master key, the settings to run on it, and an address of its own: commands and
/// server processes start here, one after the other, on the same data.
/// </summary>
public sealed class ServerFolder : IAsyncDisposable
{
    private readonly HttpClient _http = Browser.CreateClient();

    private ServerFolder(string path, Uri address)
    {
        Path = path;
        Address = address;
    }

    public string Path { get; }

    /// <summary>Where the server listens; its issuer too.</summary>
    public Uri Address { get; }

    public string Issuer => Address.GetLeftPart(UriPartial.Authority);

    /// <summary>Environment variables for commands and servers.</summary>
    public IDictionary<string, string> Environment { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>A fresh folder with an empty SQLite database and a master key, in Production.</summary>
    public static async Task<ServerFolder> CreateAsync(CancellationToken ct)
    {
        var path = Directory.CreateTempSubdirectory("identityserver-").FullName;
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}"));
        var folder = new ServerFolder(path, address);
        var settings = folder.Environment;
        settings["ASPNETCORE_ENVIRONMENT"] = "Production";
        settings["ASPNETCORE_URLS"] = folder.Issuer;
        settings["IdentityServer__Issuer"] = folder.Issuer;
        settings["IdentityServer__Database__Provider"] = "Sqlite";
        settings["IdentityServer__Database__ConnectionString"] = $"Data Source={path}/server.db";
        settings["IdentityServer__MasterKey__Path"] = $"{path}/master.key";
        (await folder.RunAsync(["keys", "master-key", "new", $"{path}/master.key"], null, ct)).Expect();
        return folder;
    }

    /// <summary>Runs one command of the server's command line.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">What is typed into it.</param>
    /// <param name="ct">Ends it.</param>
    public async Task<CommandResult> RunAsync(IReadOnlyList<string> arguments, string? input, CancellationToken ct)
    {
        using var process = new Process { StartInfo = StartInfo(arguments) };
        process.Start();
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var errors = process.StandardError.ReadToEndAsync(ct);
            await process.StandardInput.WriteAsync(input.AsMemory(), ct);
            process.StandardInput.Close();
            await process.WaitForExitAsync(ct);
            return new CommandResult(process.ExitCode, await output, await errors);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
        }
    }

    /// <summary>Starts the server and waits until it is ready.</summary>
    public Task<ServerProcess> StartAsync(CancellationToken ct) => StartAsync(Address, ct);

    /// <summary>Starts a node of the same server at another address.</summary>
    public async Task<ServerProcess> StartAsync(Uri address, CancellationToken ct)
    {
        var start = StartInfo(["serve"]);
        start.Environment["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority);
        var server = new ServerProcess(start);
        try
        {
            await server.WaitUntilReadyAsync(_http, new Uri(address, "/health/ready"), TimeSpan.FromSeconds(120), ct);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        Directory.Delete(Path, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>A port nobody listens on at the moment.</summary>
    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private ProcessStartInfo StartInfo(IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(Repository.ServerProgram, arguments)
        {
            WorkingDirectory = Path,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in Environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }
}
