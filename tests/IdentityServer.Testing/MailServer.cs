using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace IdentityServer.Testing;

/// <summary>A mail server that others wrote (aiosmtpd), in a process of its own. It keeps what it was sent and can be told to be difficult.</summary>
public sealed class MailServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Process _process;
    private readonly Channel<JsonObject> _mails = Channel.CreateUnbounded<JsonObject>();
    private readonly Channel<string> _refusals = Channel.CreateUnbounded<string>();
    private readonly Channel<string> _answers = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;

    private MailServer(Process process, int port)
    {
        _process = process;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Starts one.</summary>
    /// <param name="ct">Stops waiting.</param>
    /// <param name="port">Where it listens; <see langword="null"/>: wherever there is room.</param>
    /// <param name="certificate">PEM files of a certificate and its key: it insists on STARTTLS then.</param>
    /// <param name="account">It insists on this user and password then.</param>
    public static async Task<MailServer> StartAsync(
        CancellationToken ct, int? port = null, (string Certificate, string Key)? certificate = null, (string User, string Password)? account = null)
    {
        var at = port ?? ServerFolder.FreePort();
        List<string> arguments =
        [
            Path.Combine(Repository.Root, "tests", "oracles", "smtp-server.py"), at.ToString(CultureInfo.InvariantCulture),
        ];
        if (certificate is { } pair)
        {
            arguments.AddRange([pair.Certificate, pair.Key]);
        }

        if (account is { } known)
        {
            arguments.AddRange([known.User, known.Password]);
        }

        var server = new MailServer(
            new Process
            {
                StartInfo = new ProcessStartInfo("/usr/bin/python3", arguments)
                {
                    RedirectStandardInput = true,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                    UseShellExecute = false,
                },
            },
            at);
        server._process.Start();
        server._reading = Task.WhenAll(server.ReadAsync(), server._process.StandardError.ReadToEndAsync(CancellationToken.None));
        await server._ready.Task.WaitAsync(Patience, ct);
        return server;
    }

    /// <summary>What it answers from now on: <c>accept</c>, <c>refuse 451 later</c>, <c>refuse-next 2 451 later</c>, <c>hang</c>.</summary>
    public async Task AnswerAsync(string how, CancellationToken ct)
    {
        await _process.StandardInput.WriteLineAsync(how.AsMemory(), ct);
        await _process.StandardInput.FlushAsync(ct);
        await NextAsync(_answers, "No answer", ct);
    }

    /// <summary>The next mail that it took.</summary>
    public async Task<ReceivedMail> ReceiveAsync(CancellationToken ct) => new(await NextAsync(_mails, "No mail", ct));

    /// <summary>The next of the mails to that address; others are dropped.</summary>
    public async Task<ReceivedMail> ReceiveAsync(string to, CancellationToken ct)
    {
        while (true)
        {
            var mail = await ReceiveAsync(ct);
            if (mail.To == to)
            {
                return mail;
            }
        }
    }

    /// <summary>The mails that it took and nobody asked for yet.</summary>
    public IReadOnlyList<ReceivedMail> TakeRest()
    {
        var rest = new List<ReceivedMail>();
        while (_mails.Reader.TryRead(out var mail))
        {
            rest.Add(new ReceivedMail(mail));
        }

        return rest;
    }

    /// <summary>Waits until it has refused a mail.</summary>
    public Task<string> RefuseAsync(CancellationToken ct) => NextAsync(_refusals, "No refusal", ct);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        await _reading;
        _process.Dispose();
    }

    private static async Task<T> NextAsync<T>(Channel<T> said, string nothing, CancellationToken ct)
    {
        // Not a wait around the reading: that would go on, and take what the next test waits for.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(Patience);
        try
        {
            return await said.Reader.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            throw new CheckFailedException($"{nothing} came within {Patience}.", late);
        }
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var said = (JsonObject)JsonNode.Parse(line)!;
            if (said.ContainsKey("ready"))
            {
                _ready.TrySetResult();
            }
            else if (said["answer"] is { } answer)
            {
                _answers.Writer.TryWrite((string)answer!);
            }
            else if (said["refused"] is { } refused)
            {
                _refusals.Writer.TryWrite((string)refused!);
            }
            else
            {
                _mails.Writer.TryWrite(said);
            }
        }

        _ready.TrySetException(new CheckFailedException("The mail server ended. It needs python3-aiosmtpd."));
        _mails.Writer.TryComplete();
    }
}

/// <summary>A mail as an independent program understood it.</summary>
public sealed class ReceivedMail(JsonObject mail)
{
    public string From => (string)mail["from"]!;

    public string To => (string)mail["to"]!.AsArray().Single()!;

    public string Subject => (string)mail["subject"]!;

    public string Text => (string)mail["text"]!;

    public string Html => (string)mail["html"]!;

    /// <summary>As it came over the wire.</summary>
    public string Raw => (string)mail["raw"]!;

    public string MessageId => (string)mail["messageId"]!;

    public bool WasEncrypted => (bool)mail["tls"]!;

    public string? User => (string?)mail["user"];

    public IReadOnlyList<(string Name, string Value)> Headers =>
        [.. mail["headers"]!.AsArray().Select(header => ((string)header![0]!, (string)header[1]!))];

    /// <summary>The one link to that page.</summary>
    public Uri LinkTo(string path) => new(Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
        .Single(word => word.StartsWith("http", StringComparison.Ordinal) && new Uri(word).AbsolutePath == path));
}
