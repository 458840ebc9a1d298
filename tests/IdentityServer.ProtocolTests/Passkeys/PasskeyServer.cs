using IdentityServer.Passkeys;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Passkeys;

/// <summary>A server at <c>localhost</c>, a name: with an address there are no passkeys.</summary>
public sealed class PasskeyServer : AppServer
{
    /// <summary>The issuer, which is the origin of its pages.</summary>
    public string Origin { get; private set; } = "";

    protected override void Configure(IDictionary<string, string?> settings)
    {
        Origin = ServerFixture.AtLocalhost(settings["urls"]!);
        settings["IdentityServer:Issuer"] = Origin;

        // Nobody answers there: mails wait in the outbox, where tests find them.
        settings["IdentityServer:Mail:Smtp:Host"] = "127.0.0.1";
        settings["IdentityServer:Mail:Smtp:Port"] = "9";
        settings["IdentityServer:Mail:Smtp:Tls"] = "None";
        settings["IdentityServer:Mail:From"] = "id@example.com";
        settings["IdentityServer:Brand:Name"] = "Acme & Söhne";
        settings["IdentityServer:Passkeys:Origins"] = "http://localhost:1, android:apk-key-hash:" + new string('A', 43);
    }
}

/// <summary>Tests that talk to the ceremonies themselves, as the pages do.</summary>
public abstract class PasskeyTest(PasskeyServer server) : IClassFixture<PasskeyServer>, IAsyncLifetime
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Another one in each test.</summary>
    protected string Browser { get; } = Handle.Create().Hash;

    protected ServerFixture Server => server.Server;

    /// <summary>Somebody new in each test.</summary>
    protected string Alice { get; private set; } = "";

    protected string Mallory { get; private set; } = "";

    protected string Origin => server.Origin;

    public async ValueTask InitializeAsync()
    {
        Alice = await AddAsync("Alice");
        Mallory = await AddAsync("Mallory");
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    protected IPasskeys Passkeys => Server.Services.GetRequiredService<IPasskeys>();

    private async Task<string> AddAsync(string name)
    {
        var user = new User($"{name}-{Handle.NewId()}") { Name = $"{name} Example", Email = $"{Handle.NewId()}@example.com" };
        await using var scope = Server.Services.CreateAsyncScope();
        var added = await scope.ServiceProvider.GetRequiredService<Users>()
            .AddAsync(user, null, [], new AuditEvent(AuditTypes.UserAdded, Server.Clock.GetUtcNow()), Ct);
        Assert.True(added.Succeeded, added.ToString());
        return user.Id;
    }

    /// <summary>As in a request of its own.</summary>
    protected async Task<T> InAsync<T>(Func<PasskeyCeremonies, HttpContext, Task<T>> deed, Action<HttpRequest>? change = null)
    {
        await using var scope = Server.Services.CreateAsyncScope();
        var http = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        http.Request.Host = new HostString("localhost", new Uri(Origin).Port);
        http.Request.Headers.Origin = Origin;
        change?.Invoke(http.Request);
        return await deed(scope.ServiceProvider.GetRequiredService<PasskeyCeremonies>(), http);
    }

    protected Task<BegunCeremony> BeginSignInAsync() => InAsync((one, http) => one.BeginSignInAsync(Browser, http, Ct).AsTask());

    protected Task<BegunCeremony?> BeginFactorAsync(string subject) =>
        InAsync((one, http) => one.BeginFactorAsync(subject, Browser, http, Ct).AsTask());

    protected async Task<BegunCeremony> BeginRegistrationAsync(string subject) =>
        (await InAsync((one, http) => one.BeginRegistrationAsync(subject, Browser, http, Ct).AsTask()))!;

    protected Task<PasskeyProof> SignInAsync(BegunCeremony begun, string? credential, Action<HttpRequest>? change = null) =>
        InAsync((one, http) => one.FinishSignInAsync(new(begun.Handle, credential, Browser, http), Ct).AsTask(), change);

    protected Task<PasskeyProof> FactorAsync(string subject, BegunCeremony begun, string? credential) =>
        InAsync((one, http) => one.FinishFactorAsync(subject, new(begun.Handle, credential, Browser, http), Ct).AsTask());

    protected Task<PasskeyRegistration> RegisterAsync(
        string subject, BegunCeremony begun, string? credential, Action<HttpRequest>? change = null) =>
        InAsync(
            (one, http) => one.FinishRegistrationAsync(subject, "session", "Key", null, new(begun.Handle, credential, Browser, http), Ct).AsTask(),
            change);

    /// <summary>An authenticator with a passkey of the person.</summary>
    protected async Task<SoftwareAuthenticator> RegisteredAsync(string subject, SoftwareAuthenticator? authenticator = null)
    {
        authenticator ??= new SoftwareAuthenticator();
        var begun = await BeginRegistrationAsync(subject);
        Assert.IsType<PasskeyRegistration.Added>(await RegisterAsync(subject, begun, authenticator.Create(begun.Options, Origin)));
        return authenticator;
    }

    protected async Task AssertRefusedAsync(string reason, PasskeyProof proof)
    {
        Assert.Equal(reason, Assert.IsType<PasskeyProof.Refused>(proof).Reason);
        Assert.Equal(reason, (await NewestRefusalAsync()).Outcome);
    }

    protected async Task AssertRefusedAsync(string reason, PasskeyRegistration registration)
    {
        Assert.Equal(reason, Assert.IsType<PasskeyRegistration.Refused>(registration).Reason);
        Assert.Equal(reason, (await NewestRefusalAsync()).Outcome);
    }

    protected async Task<AuditEvent> NewestRefusalAsync() =>
        (await Server.Services.GetRequiredService<IAuditLog>().LatestAsync(20, Ct)).First(audit => audit.Type == AuditTypes.PasskeyRefused);
}
