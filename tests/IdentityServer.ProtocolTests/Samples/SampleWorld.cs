using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Samples;

/// <summary>A server with a person, an API and clients, made by its command line, and both samples beside it.</summary>
public sealed class SampleWorld : IAsyncLifetime
{
    private readonly HttpClient _http = Browser.CreateClient();
    private ServerFolder _folder = null!;
    private ServerProcess _server = null!;

    internal static Person Alice { get; } = new("alice", "four grey herons at dawn");

    internal static Person Bob { get; } = new("bob", "nine brown teapots in a row");

    internal SampleProgram Api { get; private set; } = null!;

    internal SampleProgram WebApp { get; private set; } = null!;

    /// <summary>A client that acts for itself; it may also ask for what belongs to another API.</summary>
    internal RelyingParty Service { get; private set; } = null!;

    /// <summary>The web app's registration, in the hands of a test.</summary>
    internal RelyingParty AsWebApp { get; private set; } = null!;

    internal HttpClient Http => _http;

    internal string Issuer => _folder.Issuer;

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        var (api, webApp) = (SampleProgram.NewAddress(), SampleProgram.NewAddress());
        _folder = await ServerFolder.CreateAsync(ct);
        await RunAsync(["migrate", "up"]);
        await RunAsync(["scopes", "add", "orders.read"]);
        await RunAsync(["scopes", "add", "orders.write"]);
        await RunAsync(["scopes", "add", "payments.read"]);
        await RunAsync(["apis", "add", "orders-api", "--scope", "orders.read", "--scope", "orders.write"]);
        await RunAsync(["apis", "add", "payments-api", "--scope", "payments.read"]);
        await RunAsync(["users", "add", Alice.UserName, "--email", "alice@example.com", "--password-stdin"], Alice.Password);
        await RunAsync(["users", "add", Bob.UserName, "--email", "bob@example.com", "--password-stdin"], Bob.Password);
        var webAppSecret = await AddClientAsync(
            "sample-web", "web", "openid profile offline_access orders.read orders.write",
            ["--redirect-uri", new Uri(webApp, "/callback").AbsoluteUri, "--post-logout-redirect-uri", webApp.AbsoluteUri]);
        var apiSecret = await AddClientAsync("orders-api", "service", "revocations", []);
        var serviceSecret = await AddClientAsync("sample-service", "service", "orders.read orders.write payments.read", []);

        _server = await _folder.StartAsync(ct);
        Api = await SampleProgram.StartAsync("Api", api, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Authority"] = Issuer,
            ["ClientSecret"] = apiSecret,
        }, ct);
        WebApp = await SampleProgram.StartAsync("WebApp", webApp, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Authority"] = Issuer,
            ["ClientId"] = "sample-web",
            ["ClientSecret"] = webAppSecret,
            ["Api"] = api.AbsoluteUri,

            // Longer than an access token lives: every request refreshes it first.
            ["RefreshBefore"] = "01:00:00",
        }, ct);

        var provider = await OpenIdProvider.DiscoverAsync(_http, Issuer, ct);
        Service = new RelyingParty
        {
            Http = _http,
            Provider = provider,
            Clock = TimeProvider.System,
            ClientId = "sample-service",
            Secret = serviceSecret,
        };
        AsWebApp = new RelyingParty
        {
            Http = _http,
            Provider = provider,
            Clock = TimeProvider.System,
            ClientId = "sample-web",
            Secret = webAppSecret,
            RedirectUri = new Uri(webApp, "/callback").AbsoluteUri,
        };
    }

    public async ValueTask DisposeAsync()
    {
        await WebApp.DisposeAsync();
        await Api.DisposeAsync();
        await _server.DisposeAsync();
        await _folder.DisposeAsync();
        _http.Dispose();
    }

    private async Task<string> AddClientAsync(string id, string type, string scopes, string[] more)
    {
        var added = await RunAsync(["clients", "add", id, "--type", type, "--scope", scopes, .. more, "--json"]);
        return (string)JsonNode.Parse(added.Output)!["client_secret"]!;
    }

    private async Task<CommandResult> RunAsync(string[] arguments, string? input = null)
    {
        var result = await _folder.RunAsync(arguments, input, TestContext.Current.CancellationToken);
        result.Expect();
        return result;
    }
}

/// <summary>Shares one <see cref="SampleWorld"/>.</summary>
[CollectionDefinition(nameof(SampleWorld))]
public sealed class SampleWorldTests : ICollectionFixture<SampleWorld>;
