using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Documentation;

/// <summary>
/// A terminal in a fresh checkout: an empty folder, one shell, and the programs of the documentation on its path. To save the build,
/// <c>dotnet run --project …</c> starts what was built already; addresses that the pages give are moved to free ports.
/// </summary>
internal sealed partial class Terminal : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Dictionary<string, int> _ports;
    private readonly List<RunningCommand> _running = [];
    private readonly string _folder;
    private readonly Process _shell;
    private readonly string _end = $"end-of-command-{Guid.NewGuid():N}";

    public Terminal()
    {
        _folder = Directory.CreateTempSubdirectory("identityserver-docs-").FullName;
        _ports = FreePorts("5000", "5001", "5002");
        WritePrograms();
        _shell = new Process { StartInfo = StartInfo("bash", "--noprofile", "--norc") };
        _shell.Start();
        _shell.StandardInput.WriteLine("exec 2>&1");
    }

    /// <summary>Types the command; fails when it does not do what the page shows.</summary>
    /// <param name="step">The command with what is shown.</param>
    /// <param name="mayFail">The next command looks at the exit code, so any will do.</param>
    /// <param name="ct">Ends it.</param>
    public async Task TypeAsync(Step step, bool mayFail, CancellationToken ct)
    {
        var command = AtFreePorts(step.Command);
        var expected = new ExpectedOutput(step.Shown.Select(AtFreePorts));
        if (command == Step.Interrupt)
        {
            Assert.NotEmpty(_running);
            Assert.Equal(0, await _running[^1].InterruptAsync(Patience, ct));
            await _running[^1].DisposeAsync();
            _running.RemoveAt(_running.Count - 1);
        }
        else if (step.StaysRunning)
        {
            Assert.True(expected.IsTelling, $"{step.Command}: show what says that it is ready.");
            _running.Add(new RunningCommand(StartInfo("setsid", "bash", "-c", "exec " + command)));
            await _running[^1].WaitUntilShownAsync(expected, Patience, ct);
        }
        else
        {
            var (code, lines) = await RunAsync(command, ct);
            Assert.True(mayFail || code == 0, $"$ {step.Command}\nended with {code}:\n{string.Join('\n', lines)}");
            Assert.True(
                expected.Matches(lines),
                $"$ {step.Command}\nis shown with:\n{string.Join('\n', step.Shown)}\n\nand answered:\n{string.Join('\n', lines)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var running in _running)
        {
            await running.DisposeAsync();
        }

        _shell.Kill();
        await _shell.WaitForExitAsync();
        _shell.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<(int Code, List<string> Lines)> RunAsync(string command, CancellationToken ct)
    {
        // The exit code is kept for the next command, which may print it.
        var quoted = command.Replace("'", @"'\''", StringComparison.Ordinal);
        await _shell.StandardInput.WriteLineAsync(
            $"eval '{quoted}' </dev/null; __code=$?; printf '\\n%s %d\\n' {_end} $__code; (exit $__code)".AsMemory(), ct);
        await _shell.StandardInput.FlushAsync(ct);

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        var lines = new List<string>();
        while (await _shell.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.StartsWith(_end, StringComparison.Ordinal))
            {
                return (int.Parse(line[(_end.Length + 1)..], CultureInfo.InvariantCulture), lines);
            }

            lines.Add(line);
        }

        throw new CheckFailedException($"The shell ended at: {command}\n{string.Join('\n', lines)}");
    }

    private string AtFreePorts(string text) =>
        Address().Replace(text, match => $"{match.Groups["host"].Value}:{_ports[match.Groups["port"].Value]}");

    private static Dictionary<string, int> FreePorts(params string[] names)
    {
        var ports = new HashSet<int>();
        while (ports.Count < names.Length)
        {
            ports.Add(ServerFolder.FreePort());
        }

        return names.Zip(ports).ToDictionary(pair => pair.First, pair => pair.Second, StringComparer.Ordinal);
    }

    // From the sources one is in Development, with the program itself in Production, each with a database of its own.
    private void WritePrograms()
    {
        var server = Repository.ServerProgram;
        var built = Path.GetDirectoryName(server)!;
        var samples = Path.GetFullPath(Path.Combine(built, "..", "..", "..", "..", "Samples"));
        var framework = Path.GetFileName(built);
        var configuration = Path.GetFileName(Path.GetDirectoryName(built)!);
        var address = $"http://localhost:{_ports["5000"]}";
        WriteProgram("dotnet", $$"""
            if [ "$1 $2" != "run --project" ]; then echo "not known to this terminal: dotnet $*"; exit 127; fi
            project=$3; shift 3; [ "${1-}" = -- ] && shift
            case $project in
              src/IdentityServer)
                export ASPNETCORE_URLS={{address}}
                export IdentityServer__Database__ConnectionString="Data Source={{_folder}}/data/identityserver.db"
                export IdentityServer__MasterKey__Path={{_folder}}/keys-dev/master.key
                exec "{{server}}" '[from-sources]' "$@" ;;
              src/Samples/Api)
                export ASPNETCORE_ENVIRONMENT=Development ASPNETCORE_URLS=http://localhost:{{_ports["5001"]}} Authority={{address}}
                cd "{{samples}}/Api" && exec "bin/{{configuration}}/{{framework}}/Api" "$@" ;;
              src/Samples/WebApp)
                export ASPNETCORE_ENVIRONMENT=Development ASPNETCORE_URLS=http://localhost:{{_ports["5002"]}} Authority={{address}}
                export Api=http://localhost:{{_ports["5001"]}}
                cd "{{samples}}/WebApp" && exec "bin/{{configuration}}/{{framework}}/WebApp" "$@" ;;
              *) echo "no such project: $project"; exit 1 ;;
            esac
            """);
        WriteProgram("identityserver", $$"""
            export ASPNETCORE_URLS={{address}}
            export IdentityServer__Issuer={{address}}
            export IdentityServer__Database__ConnectionString="Data Source={{_folder}}/production/identityserver.db"
            export IdentityServer__MasterKey__Path="${IdentityServer__MasterKey__Path-{{_folder}}/master.key}"
            exec "{{server}}" "$@"
            """);
    }

    private void WriteProgram(string name, string script)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName, name);
        File.WriteAllText(path, "#!/usr/bin/env bash\n" + script.ReplaceLineEndings("\n") + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private ProcessStartInfo StartInfo(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var set in start.Environment.Keys.Where(IsOfServer).ToArray())
        {
            start.Environment.Remove(set);
        }

        start.Environment["PATH"] = $"{_folder}/bin:{Environment.GetEnvironmentVariable("PATH")}";
        return start;
    }

    private static bool IsOfServer(string variable) =>
        variable.StartsWith("IdentityServer__", StringComparison.OrdinalIgnoreCase)
        || variable.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
        || variable == "DOTNET_ENVIRONMENT";

    [GeneratedRegex(@"(?<host>localhost|127\.0\.0\.1):(?<port>500[012])\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Address();
}
