using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using IdentityServer.ResourceServer;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace IdentityServer.ProtocolTests.ResourceServer;

/// <summary>An API that uses the package, in this process, with a clock that tests move. What it asks the server goes through <see cref="Wire"/>.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http = Browser.CreateClient();

    private ApiHost(WebApplication app, Wire wire)
    {
        _app = app;
        Wire = wire;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
    }

    public Uri Address { get; }

    public Wire Wire { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<ApiHost> StartAsync(
        string issuer,
        string audience,
        TimeProvider clock,
        Action<IdentityServerTokensOptions> configure,
        CancellationToken ct,
        HttpMessageHandler? server = null,
        Action<IServiceCollection>? services = null)
    {
        var wire = new Wire { InnerHandler = server ?? new SocketsHttpHandler { UseProxy = false } };
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        builder.Services.AddSingleton(clock);
        builder.Services.AddAuthentication().AddIdentityServerTokens(issuer, audience, options =>
        {
            options.RequireHttps = false;
            options.BackchannelHandler = wire;
            configure(options);
        });
        builder.Services.AddAuthorizationBuilder().AddPolicy("write", policy => policy.RequireScope("orders.write"));
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.MapGet("/", (HttpContext http) => http.User.Identity!.Name).RequireAuthorization();
        app.MapGet("/write", () => "written").RequireAuthorization("write");
        await app.StartAsync(ct);
        return new ApiHost(app, wire);
    }

    /// <summary>Calls the API with the token.</summary>
    public async Task<ApiAnswer> CallAsync(string? token, CancellationToken ct, string path = "/", string scheme = "Bearer")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Address, path));
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue(scheme, token);
        using var response = await _http.SendAsync(request, ct);
        return new ApiAnswer(
            response.StatusCode,
            response.Headers.WwwAuthenticate.ToString(),
            response.Headers.RetryAfter?.ToString(),
            await response.Content.ReadAsStringAsync(ct));
    }

    public async Task<HealthStatus> HealthAsync(CancellationToken ct) =>
        (await Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(ct)).Status;

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
        Wire.Dispose();
    }
}

internal sealed record ApiAnswer(HttpStatusCode Status, string Challenge, string? RetryAfter, string Text);

/// <summary>Counts what an API asks of the server, can be cut, and can break the streams it carries.</summary>
internal sealed class Wire : DelegatingHandler
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _requests = new(StringComparer.Ordinal);

    public bool IsCut { get; set; }

    /// <summary>Event streams break anywhere within so many octets.</summary>
    public int? BreaksWithin { get; set; }

    public int CountOf(string path)
    {
        lock (_gate)
        {
            return _requests.GetValueOrDefault(path);
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            var path = request.RequestUri!.AbsolutePath;
            _requests[path] = _requests.GetValueOrDefault(path) + 1;
        }

        if (IsCut)
        {
            throw new HttpRequestException("The wire is cut.");
        }

        var response = await base.SendAsync(request, cancellationToken);
        if (BreaksWithin is { } most && response.Content.Headers.ContentType?.MediaType == "text/event-stream")
        {
            response.Content = new StreamContent(new Breaking(
                await response.Content.ReadAsStreamAsync(cancellationToken), RandomNumberGenerator.GetInt32(1, most)));
        }

        return response;
    }

    private sealed class Breaking(Stream inner, int left) : Stream
    {
        private int _left = left;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0)
            {
                throw new IOException("The stream broke.");
            }

            var read = await inner.ReadAsync(buffer[..Math.Min(_left, buffer.Length)], cancellationToken);
            _left -= read;
            return read;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
