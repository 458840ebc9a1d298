using System.Diagnostics;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Oracles;

/// <summary>
/// Clients that others wrote, against the server as a user runs it: a process of its own, set up by its command line. See
/// tests/oracles/README.md.
/// </summary>
public sealed class OracleTests(OracleServer server) : IClassFixture<OracleServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Folder { get; } = Path.Combine(Repository.Root, "tests", "oracles");

    [Fact]
    public Task Openid_client_is_satisfied() => RunAsync("node", "rp-openid-client.mjs");

    [Fact]
    public Task Authlib_is_satisfied() => RunAsync("/usr/bin/python3", "rp-authlib.py");

    [Fact]
    public async Task A_stock_JwtBearer_API_takes_our_tokens_and_no_others()
    {
        var address = $"http://127.0.0.1:{ServerFolder.FreePort()}";
        var start = new ProcessStartInfo(OracleServer.ResourceServerProgram)
        {
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ISSUER"] = server.Folder.Issuer;
        start.Environment["AUDIENCE"] = OracleServer.Api;
        start.Environment["ASPNETCORE_URLS"] = address;
        await using var api = new ServerProcess(start);
        using var http = Browser.CreateClient();
        await api.WaitUntilListeningAsync(http, new Uri(address), TimeSpan.FromSeconds(60), Ct);

        await RunAsync("node", "rs-jwtbearer.mjs", ("RS", address));
    }

    private async Task RunAsync(string program, string script, params (string Name, string Value)[] more)
    {
        Check.That(
            Directory.Exists(Path.Combine(Folder, "node_modules")),
            "The clients are not installed: npm ci --prefix tests/oracles (tests/run.sh does it).");
        var start = new ProcessStartInfo(program, [Path.Combine(Folder, script)])
        {
            WorkingDirectory = Folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in server.Environment.Concat(more))
        {
            start.Environment[name] = value;
        }

        using var client = Process.Start(start)!;
        try
        {
            client.StandardInput.Close();
            var output = client.StandardOutput.ReadToEndAsync(Ct);
            var errors = client.StandardError.ReadToEndAsync(Ct);
            await client.WaitForExitAsync(Ct);
            Assert.True(client.ExitCode == 0, $"{await output}\n{await errors}");
            Assert.DoesNotContain(" fail ", await output, StringComparison.Ordinal);
            Assert.Contains(" pass ", await output, StringComparison.Ordinal);
        }
        finally
        {
            if (!client.HasExited)
            {
                client.Kill();
            }
        }
    }
}
