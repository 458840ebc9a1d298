using System.Collections.Frozen;
using System.Globalization;
using System.Net.Http.Json;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Scopes;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.ProtocolTests.ResourceServer;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Revocations;

/// <summary>A server that mails, an admin's service, an app with JWTs and one with reference tokens, and an API that follows the feed.</summary>
public class MatrixServer : IAsyncLifetime
{
    private static readonly FrozenSet<string> _scopes = FrozenSet.Create(StringComparer.Ordinal, "openid", "offline_access", "orders.read");

    private ApiHost? _api;

    public ServerFixture Server { get; private set; } = null!;

    public MailServer Mails { get; private set; } = null!;

    public RelyingParty Admin { get; private set; } = null!;

    /// <summary>The API's own client.</summary>
    public RelyingParty Follower { get; private set; } = null!;

    internal ApiHost Api => _api!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public virtual async ValueTask InitializeAsync()
    {
        Mails = await MailServer.StartAsync(Ct);
        Server = await ServerFixture.StartAsync(Ct, settings =>
        {
            settings["IdentityServer:Mail:From"] = "id@example.com";
            settings["IdentityServer:Mail:Smtp:Host"] = "127.0.0.1";
            settings["IdentityServer:Mail:Smtp:Port"] = Mails.Port.ToString(CultureInfo.InvariantCulture);
            settings["IdentityServer:Mail:Smtp:Tls"] = "None";
            Configure(settings);
        });
        await Server.AddApiAsync("orders-api", Ct, "orders.read");
        Admin = await AddServiceAsync("admin", "admin:sessions", "admin:people", "admin:keys");
        Follower = await AddServiceAsync("orders-api", AdminScopes.Revocations);
        _api = await ApiHost.StartAsync(
            Server.Provider.Issuer,
            "orders-api",
            Server.Clock,
            options => (options.ClientId, options.ClientSecret) = (Follower.ClientId, Follower.Secret!),
            Ct);
    }

    /// <summary>An app of one test's own: some endings concern all that an app was given.</summary>
    public Task<RelyingParty> AddAppAsync(string id, TokenFormat format) => Server.AddWebAppAsync(
        id, Ct, client => client with { RequireConsent = false, Scopes = _scopes, TokenFormat = format });

    /// <summary>Calls the admin API; the answer must be good.</summary>
    public async Task CallAsync(string method, string path)
    {
        var token = (await Admin.ClientCredentialsAsync("admin:sessions admin:people admin:keys", Ct)).AccessToken;
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Server.Address, "/admin/api/v1" + path));
        request.Headers.Authorization = new("Bearer", token);
        request.Content = JsonContent.Create(new { reason = "the matrix" });
        using var response = await Server.Http.SendAsync(request, Ct);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Ct));
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_api is not null)
        {
            await _api.DisposeAsync();
        }

        await Server.DisposeAsync();
        await Mails.DisposeAsync();
    }

    protected virtual void Configure(IDictionary<string, string?> settings)
    {
    }

    private Task<RelyingParty> AddServiceAsync(string id, params string[] scopes) => Server.AddClientAsync(
        new Client
        {
            Id = id,
            Type = ClientType.Service,
            Name = $"The service {id}",
            AuthMethod = ClientAuthMethods.Basic,
            GrantTypes = FrozenSet.Create(StringComparer.Ordinal, GrantTypes.ClientCredentials),
            Scopes = scopes.ToFrozenSet(StringComparer.Ordinal),
        },
        Ct);
}

/// <summary>The same on PostgreSQL.</summary>
public sealed class PostgresMatrixServer : MatrixServer
{
    private PostgresServer? _postgres;
    private string? _database;

    public override async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartAsync(durable: false, TestContext.Current.CancellationToken);
        _database = await _postgres.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    protected override void Configure(IDictionary<string, string?> settings)
    {
        settings["IdentityServer:Database:Provider"] = "PostgreSql";
        settings["IdentityServer:Database:ConnectionString"] = _database;
    }
}
