using System.Diagnostics;
using System.Globalization;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Samples;

/// <summary>A program of src/Samples in a process of its own, at an address of its own.</summary>
internal sealed class SampleProgram : IAsyncDisposable
{
    private readonly HttpClient _http = Browser.CreateClient();
    private readonly ServerProcess _process;

    private SampleProgram(ServerProcess process, Uri address)
    {
        _process = process;
        Address = address;
    }

    public Uri Address { get; }

    public string Log => _process.Log;

    /// <summary>An address nobody listens on, for a program whose client must be registered before it starts.</summary>
    public static Uri NewAddress() => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ServerFolder.FreePort()}"));

    /// <summary>Starts <c>Api</c> or <c>WebApp</c> with the settings and waits until its front page answers.</summary>
    public static async Task<SampleProgram> StartAsync(
        string name, Uri address, IReadOnlyDictionary<string, string> settings, CancellationToken ct)
    {
        var (folder, program) = Find(name);
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = address.GetLeftPart(UriPartial.Authority);
        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        var sample = new SampleProgram(new ServerProcess(start), address);
        try
        {
            await sample._process.WaitUntilReadyAsync(sample._http, address, TimeSpan.FromSeconds(60), ct);
            return sample;
        }
        catch
        {
            await sample.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _http.Dispose();
    }

    // Built as the server was: …/src/IdentityServer/bin/Release/net10.0/identityserver.
    private static (string Folder, string Program) Find(string name)
    {
        var framework = Path.GetDirectoryName(Repository.ServerProgram)!;
        var configuration = Path.GetDirectoryName(framework)!;
        var folder = Path.Combine(Repository.Root, "src", "Samples", name);
        var program = Path.Combine(folder, "bin", Path.GetFileName(configuration), Path.GetFileName(framework), name);
        return File.Exists(program) ? (folder, program) : throw new CheckFailedException($"Build the solution first: there is no {program}.");
    }
}
