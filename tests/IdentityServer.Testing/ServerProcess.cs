using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace IdentityServer.Testing;

/// <summary>A program in a process of its own, as a user would start it; <see cref="ServerFolder.StartAsync"/> makes servers.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _log = new();

    /// <summary>Starts a program that serves; all three standard streams are redirected.</summary>
    public ServerProcess(ProcessStartInfo start)
    {
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _process.StandardInput.Close();
    }

    /// <summary>Everything it wrote so far.</summary>
    public string Log => string.Join('\n', _log);

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Waits until it says it is ready, or fails with its output.</summary>
    public Task WaitUntilReadyAsync(HttpClient http, Uri ready, TimeSpan limit, CancellationToken ct) =>
        WaitAsync(http, ready, response => response.IsSuccessStatusCode, limit, ct);

    /// <summary>Waits until it answers, whatever.</summary>
    public Task WaitUntilListeningAsync(HttpClient http, Uri address, TimeSpan limit, CancellationToken ct) =>
        WaitAsync(http, address, _ => true, limit, ct);

    private async Task WaitAsync(
        HttpClient http,
        Uri address,
        Func<HttpResponseMessage, bool> isEnough,
        TimeSpan limit,
        CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(limit);
        try
        {
            while (!await AnswersAsync(http, address, isEnough, patience.Token))
            {
                if (_process.HasExited)
                {
                    throw new CheckFailedException($"The server ended with {_process.ExitCode}:\n{Log}");
                }

                await Task.Delay(10, patience.Token);
            }
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            throw new CheckFailedException($"The server is not ready after {limit}:\n{Log}", late);
        }
    }

    /// <summary>Ends it as a power cut would: SIGKILL, without a chance to finish anything.</summary>
    public async Task KillAsync(CancellationToken ct)
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync(ct);
    }

    /// <summary>Holds it, with everything in its memory, until <see cref="GoOnAsync"/>: SIGSTOP, as when a machine is suspended.</summary>
    public Task PauseAsync(CancellationToken ct) => SignalAsync("STOP", ct);

    /// <summary>Lets it go on: SIGCONT.</summary>
    public Task GoOnAsync(CancellationToken ct) => SignalAsync("CONT", ct);

    public async ValueTask DisposeAsync()
    {
        await KillAsync(CancellationToken.None);
        _process.Dispose();
    }

    private async Task SignalAsync(string signal, CancellationToken ct)
    {
        using var kill = Process.Start("kill", ["-s", signal, "--", Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(ct);
        Check.Equal(0, kill.ExitCode, $"how SIG{signal} went");
    }

    private static async Task<bool> AnswersAsync(
        HttpClient http,
        Uri address,
        Func<HttpResponseMessage, bool> isEnough,
        CancellationToken ct)
    {
        try
        {
            using var response = await http.GetAsync(address, ct);
            return isEnough(response);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _log.Enqueue(line);
        }
    }
}
