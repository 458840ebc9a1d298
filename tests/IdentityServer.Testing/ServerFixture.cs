using System.Collections.Frozen;
using IdentityServer.Jobs;
using IdentityServer.Keys;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Scopes;
using IdentityServer.SignIn;
using IdentityServer.Storage.Clients;
using IdentityServer.Storage.Schema;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace IdentityServer.Testing;

/// <summary>
/// The server in this process, on a real socket, with an empty database of its own and a clock that tests move. It runs as in
/// Production: nothing is seeded.
/// </summary>
public sealed class ServerFixture : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder;

    private ServerFixture(WebApplication app, string folder, Uri address, MutableClock clock, ServerLog log)
    {
        _app = app;
        _folder = folder;
        Address = address;
        Clock = clock;
        Log = log;
    }

    /// <summary>Where the server listens.</summary>
    public Uri Address { get; }

    public MutableClock Clock { get; }

    public ServerLog Log { get; }

    public HttpClient Http { get; } = Browser.CreateClient();

    public IServiceProvider Services => _app.Services;

    /// <summary>What the server tells of itself; only where its issuer is its address.</summary>
    public OpenIdProvider Provider { get; private set; } = null!;

    /// <summary>Starts a server.</summary>
    /// <param name="ct">Gives up.</param>
    /// <param name="change">Changes settings: keys are written with colons.</param>
    /// <param name="services">Changes what no setting changes, e.g. how costly a password hash is.</param>
    public static async Task<ServerFixture> StartAsync(
        CancellationToken ct,
        Action<IDictionary<string, string?>>? change = null,
        Action<IServiceCollection>? services = null)
    {
        var folder = Directory.CreateTempSubdirectory("identityserver-").FullName;
        var address = new Uri($"http://127.0.0.1:{ServerFolder.FreePort()}");
        var issuer = address.GetLeftPart(UriPartial.Authority);
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["urls"] = issuer,
            ["IdentityServer:Issuer"] = issuer,
            ["IdentityServer:Database:Provider"] = "Sqlite",
            ["IdentityServer:Database:ConnectionString"] = $"Data Source={folder}/server.db",
            ["IdentityServer:MasterKey:Path"] = $"{folder}/master.key",
        };
        change?.Invoke(settings);

        // Passkeys need a name; the socket is the same.
        if (settings["IdentityServer:Issuer"] == AtLocalhost(issuer))
        {
            issuer = settings["IdentityServer:Issuer"]!;
            address = new Uri(issuer);
        }

        MasterKeyFile.TryWriteNew($"{folder}/master.key", MasterKey.Create(isForDevelopment: false));

        var clock = new MutableClock();
        var log = new ServerLog();
        var app = ServerHost.Build([], builder =>
        {
            builder.Environment.EnvironmentName = Environments.Production;
            builder.Configuration.AddInMemoryCollection(settings);
            builder.Services.AddSingleton<TimeProvider>(clock);

            // Tests that move the clock by days choose themselves when something is cleaned up.
            builder.Services.AddSingleton(new JobTiming { StartAfter = Timeout.InfiniteTimeSpan });
            // Hundreds of people sign in here, and none of them is worth a real hash; what it costs is measured by the benchmarks.
            builder.Services.PostConfigure<PasswordHasherOptions>(options => options.IterationCount = 1000);
            builder.Services.AddSingleton<RsaKeys, ReadyRsaKeys>();
            services?.Invoke(builder.Services);
            builder.Logging.ClearProviders();
            builder.Logging.AddProvider(log);
        });
        var server = new ServerFixture(app, folder, address, clock, log);
        try
        {
            await app.Services.GetRequiredService<DatabaseSchema>().MigrateAsync(ct);
            await ServerHost.PrepareAsync(app, ct);
            await app.StartAsync(ct);
            if (settings["IdentityServer:Issuer"] == issuer)
            {
                server.Provider = await OpenIdProvider.DiscoverAsync(server.Http, issuer, ct);
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Everything the database's files hold, as text: for looking for what must not be there.</summary>
    public async Task<string> ReadDatabaseAsync(CancellationToken ct)
    {
        var text = new System.Text.StringBuilder();
        foreach (var file in Directory.GetFiles(_folder, "server.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var reader = new StreamReader(stream, System.Text.Encoding.Latin1);
            text.Append(await reader.ReadToEndAsync(ct));
        }

        return text.ToString();
    }

    /// <summary>The same address by the name <c>localhost</c>.</summary>
    public static string AtLocalhost(string address) => address.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);

    /// <summary>Fetches a document of the server.</summary>
    public Task<Page> FetchAsync(string path, CancellationToken ct) =>
        new Browser(Http).OpenAsync(new Uri(Address, path), ct);

    /// <summary>Adds a web app with every grant, asking for consent, redirecting to <c>https://rp.example/callback</c>.</summary>
    public Task<RelyingParty> AddWebAppAsync(string id, CancellationToken ct, Func<Client, Client>? change = null) =>
        AddClientAsync(
            new Client
            {
                Id = id,
                Type = ClientType.Web,
                Name = $"The app {id}",
                AuthMethod = ClientAuthMethods.Basic,
                GrantTypes = FrozenSet.Create(
                    StringComparer.Ordinal,
                    GrantTypes.AuthorizationCode,
                    GrantTypes.RefreshToken,
                    GrantTypes.ClientCredentials),
                Scopes = FrozenSet.Create(
                    StringComparer.Ordinal,
                    "openid", "profile", "email", "address", "phone", "offline_access"),
                RedirectUris = ["https://rp.example/callback"],
                PostLogoutRedirectUris = ["https://rp.example/signed-out"],
            },
            ct,
            change);

    /// <summary>Removes a client as the command line does; false when there was none.</summary>
    public Task<bool> RemoveClientAsync(string id, CancellationToken ct) => EndClientAsync(
        id, new ClientRemoved { Audit = new AuditEvent(AuditTypes.ClientRemoved, Clock.GetUtcNow()) { Actor = "test", ClientId = id } }, ct);

    /// <summary>Disables a client as the command line does; false when it was disabled.</summary>
    public Task<bool> DisableClientAsync(string id, CancellationToken ct) => EndClientAsync(
        id, new ClientDisabled { Audit = new AuditEvent(AuditTypes.ClientDisabled, Clock.GetUtcNow()) { Actor = "test", ClientId = id } }, ct);

    private async Task<bool> EndClientAsync(string id, ClientChange change, CancellationToken ct) =>
        await Services.GetRequiredService<Revoker>().EndClientAsync(id, change, new Cause("test", "test", Address: null), ct) is not null;

    /// <summary>Adds a client; a secret is made for it where its authentication method wants one.</summary>
    public async Task<RelyingParty> AddClientAsync(Client client, CancellationToken ct, Func<Client, Client>? change = null)
    {
        client = change?.Invoke(client) ?? client;
        var now = Clock.GetUtcNow();
        string? secret = null;
        if (client.AuthMethod is ClientAuthMethods.Basic or ClientAuthMethods.Post)
        {
            var handle = Handle.Create();
            secret = handle.Text;
            client = client with { Secrets = [new ClientSecret(Handle.NewId(), handle.Hash, now, null)] };
        }

        var audit = new AuditEvent(AuditTypes.ClientAdded, now) { Actor = "test", ClientId = client.Id };
        var added = await Services.GetRequiredService<IClientStore>().AddAsync(client with { CreatedAt = now }, audit, ct);
        Check.That(added, $"There is a client {client.Id} already.");
        await Services.GetRequiredService<ChangeFeed>().PollAsync(ct);
        return new RelyingParty
        {
            Http = Http,
            Provider = Provider,
            Clock = Clock,
            ClientId = client.Id,
            Secret = secret,
            AuthMethod = client.AuthMethod,
            RedirectUri = client.RedirectUris is [var redirectUri, ..] ? redirectUri : "",
            PostLogoutRedirectUri = client.PostLogoutRedirectUris is [var signedOut, ..] ? signedOut : "",
        };
    }

    /// <summary>Adds an API with the scopes that lead to it.</summary>
    public async Task AddApiAsync(string name, CancellationToken ct, params string[] scopes)
    {
        var store = Services.GetRequiredService<IScopeStore>();
        var audit = new AuditEvent(AuditTypes.ApiAdded, Clock.GetUtcNow()) { Actor = "test" };
        foreach (var scope in scopes)
        {
            await store.AddScopeAsync(new Scope(scope), audit, ct);
        }

        await store.AddApiAsync(new ApiResource(name) { Scopes = scopes }, audit, ct);
        await Services.GetRequiredService<ChangeFeed>().PollAsync(ct);
    }

    /// <summary>Adds a person with every standard claim, and with roles in the administration if there are any.</summary>
    public async Task<Person> AddPersonAsync(string name, CancellationToken ct, params string[] roles)
    {
        var person = new Person(name, "nine lilac umbrellas wait");
        await using var scope = Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<Users>();
        var capital = char.ToUpperInvariant(name[0]) + name[1..];
        var user = new User(name)
        {
            Email = $"{name}@example.com",
            EmailConfirmed = true,
            PhoneNumber = "+86 10 5550 0100",
            PhoneNumberConfirmed = true,
            Name = $"{capital} Example",
            GivenName = capital,
            FamilyName = "Example",
            Locale = "en",
            MoreClaims = """{"address":{"locality":"Beijing","country":"CN"},"zoneinfo":"Asia/Shanghai"}""",
        };
        var audit = new AuditEvent(AuditTypes.UserAdded, Clock.GetUtcNow()) { Actor = "test" };
        var added = await users.AddAsync(user, person.Password, roles, audit, ct);
        Check.That(added.Succeeded, string.Join(' ', added.Errors.Select(error => error.Description)));
        return person;
    }

    /// <summary>Puts an authenticator app into the person's hands, as if they had set it up long ago.</summary>
    public async Task<Person> GiveAppAsync(Person person, CancellationToken ct)
    {
        var apps = Services.GetRequiredService<AuthenticatorApps>();
        var found = await Services.GetRequiredService<ICredentials>().FindAsync(person.UserName, ct);
        var known = new IdentityServer.SignIn.Person(found!.User.Id, person.UserName, null, null, null);
        var offer = apps.Offer(known);
        var app = new AuthenticatorApp(offer.Text, Clock);
        var audit = new AuditEvent(AuditTypes.FactorAdded, Clock.GetUtcNow()) { Actor = "test", Subject = known.Subject };
        Check.That(await apps.EnrolAsync(known.Subject, offer.Sealed, app.CodeIn(TimeSpan.FromSeconds(-30)), "Phone", audit, null, ct), "The app was not taken.");
        return person with { App = app };
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
