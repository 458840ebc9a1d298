using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Channels;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace IdentityServer.ProtocolTests.Logout;

/// <summary>What an app has at its back-channel logout address: a web server of its own, which may be difficult.</summary>
internal sealed class LogoutReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Told> _told = Channel.CreateUnbounded<Told>();
    private readonly CancellationTokenSource _end = new();

    private LogoutReceiver(WebApplication app, string address)
    {
        _app = app;
        Address = address;
    }

    /// <summary>Its back-channel logout address.</summary>
    public string Address { get; }

    /// <summary>What it answers; 200 unless a test says otherwise.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = _ => Task.CompletedTask;

    public static string AddressAt(int port, string scheme = "http", string host = "127.0.0.1") => $"{scheme}://{host}:{port}/backchannel";

    public static async Task<LogoutReceiver> StartAsync(int port, CancellationToken ct, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port, listen =>
        {
            if (certificate is not null)
            {
                listen.UseHttps(certificate);
            }
        }));
        var app = builder.Build();
        var receiver = new LogoutReceiver(
            app, certificate is null ? AddressAt(port) : AddressAt(port, "https", "localhost"));
        app.Run(receiver.HandleAsync);
        await app.StartAsync(ct);
        return receiver;
    }

    /// <summary>Answers with a status.</summary>
    public void AnswerWith(int status) => Answer = http =>
    {
        http.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    /// <summary>Never answers.</summary>
    public void Hang() => Answer = http => Task.Delay(Timeout.InfiniteTimeSpan, CancellationTokenSource
        .CreateLinkedTokenSource(http.RequestAborted, _end.Token).Token);

    /// <summary>The next call.</summary>
    public async Task<Told> ReceiveAsync(CancellationToken ct) => await _told.Reader.ReadAsync(ct);

    /// <summary>The calls that came and were not asked for yet.</summary>
    public IReadOnlyList<Told> TakeRest()
    {
        var rest = new List<Told>();
        while (_told.Reader.TryRead(out var told))
        {
            rest.Add(told);
        }

        return rest;
    }

    /// <summary>A certificate for <c>localhost</c> that nobody trusts, unless told to.</summary>
    public static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _app.DisposeAsync();
        _end.Dispose();
    }

    private async Task HandleAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var token = form["logout_token"].ToString();
        _told.Writer.TryWrite(new(
            http.Request.Method, http.Request.Path, http.Request.ContentType, [.. form.Keys], token.Length == 0 ? null : Jwt.Parse(token)));
        await Answer(http);
    }
}

/// <summary>A call as it arrived.</summary>
internal sealed record Told(string Method, string Path, string? ContentType, IReadOnlyList<string> Fields, Jwt? Token)
{
    public string Jti => Token!["jti"]!;
}
