using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Documentation;

/// <summary>A command that goes on, such as a server, in a process group of its own, as a terminal gives it.</summary>
internal sealed class RunningCommand : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Channel<string?> _output = Channel.CreateUnbounded<string?>();
    private readonly List<string> _seen = [];
    private readonly EventHandler _atExit;

    /// <param name="start">Starts with <c>setsid</c>, which makes the group.</param>
    public RunningCommand(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Exited += (_, _) => _output.Writer.TryWrite(null);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();

        // In a group of its own it would outlive a test run that is stopped from outside.
        _atExit = (_, _) => Signal("KILL").Dispose();
        AppDomain.CurrentDomain.ProcessExit += _atExit;
    }

    /// <summary>Waits until it has printed what is expected; more may follow.</summary>
    public async Task WaitUntilShownAsync(ExpectedOutput expected, TimeSpan patience, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        try
        {
            while (!expected.Matches(_seen, mayGoOn: true))
            {
                _seen.Add(await _output.Reader.ReadAsync(limit.Token) ?? throw new CheckFailedException("It ended:\n" + Seen));
            }
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            throw new CheckFailedException($"After {patience} it had printed:\n{Seen}", late);
        }
    }

    /// <summary>Presses Ctrl+C and answers how it ended.</summary>
    public async Task<int> InterruptAsync(TimeSpan patience, CancellationToken ct)
    {
        await SignalAsync("INT", ct);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        // Also when it has ended itself: what it started may still be there.
        AppDomain.CurrentDomain.ProcessExit -= _atExit;
        await SignalAsync("KILL", CancellationToken.None);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private string Seen => string.Join('\n', _seen);

    private async Task SignalAsync(string signal, CancellationToken ct)
    {
        using var kill = Signal(signal);
        await kill.WaitForExitAsync(ct);
    }

    private Process Signal(string signal) => Process.Start(new ProcessStartInfo(
        "kill", ["-s", signal, "--", string.Create(CultureInfo.InvariantCulture, $"-{_process.Id}")])
    {
        RedirectStandardError = true,
        UseShellExecute = false,
    })!;

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _output.Writer.TryWrite(line);
        }
    }
}
