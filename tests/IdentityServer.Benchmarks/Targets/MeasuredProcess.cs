using System.Diagnostics;
using System.Text;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>A server we started, and what the kernel knows of it.</summary>
internal sealed class MeasuredProcess : IAsyncDisposable
{
    private const int LinesKept = 40;
    private static readonly Dictionary<string, string> NoEnvironment = [];
    private readonly Process _process;
    private readonly Queue<string> _lastLines = new();
    private readonly Stopwatch _age;

    private MeasuredProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += Keep;
        _process.ErrorDataReceived += Keep;
        _age = Stopwatch.StartNew();
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public static MeasuredProcess Start(string file, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment) =>
        new(Describe(file, arguments, environment));

    /// <summary>Runs a command to its end and returns what it printed; anything but exit code 0 is an exception.</summary>
    public static async Task<string> RunAsync(
        string file,
        IEnumerable<string> arguments,
        IEnumerable<KeyValuePair<string, string>> environment,
        CancellationToken ct)
    {
        var start = Describe(file, arguments, environment);
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start.");
        var errors = process.StandardError.ReadToEndAsync(ct);
        var output = await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException(
                $"{file} {string.Join(' ', start.ArgumentList.Take(4))} … exited with {process.ExitCode}: {await errors}{output}");
    }

    /// <summary>User and system time of the process so far, in milliseconds (the kernel counts in tens).</summary>
    public double CpuMilliseconds()
    {
        _process.Refresh();
        return _process.TotalProcessorTime.TotalMilliseconds;
    }

    public double ResidentMebibytes()
    {
        _process.Refresh();
        return _process.WorkingSet64 / (1024.0 * 1024);
    }

    /// <summary>Since just before it was started.</summary>
    public TimeSpan Age() => _age.Elapsed;

    public bool HasExited => _process.HasExited;

    public string LastLines()
    {
        lock (_lastLines)
        {
            return string.Join('\n', _lastLines);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            // Process.Kill would leave a server no chance to end its work.
            await RunAsync("kill", ["-TERM", $"{_process.Id}"], NoEnvironment, CancellationToken.None);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync(CancellationToken.None);
            }
        }

        _process.Dispose();
    }

    private static ProcessStartInfo Describe(
        string file, IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private void Keep(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
        {
            return;
        }

        lock (_lastLines)
        {
            _lastLines.Enqueue(line.Data);
            if (_lastLines.Count > LinesKept)
            {
                _lastLines.Dequeue();
            }
        }
    }
}
