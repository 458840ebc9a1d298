using System.Text.Json;
using IdentityServer.Benchmarks.Load;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>Our server as an operator would set it up: a Release build, Production, a fresh database, one client, one person.</summary>
internal sealed class Product
{
    public const string Sqlite = "Sqlite";
    public const string PostgreSql = "PostgreSql";
    public const string Password = "correct-horse-battery-staple-17";
    private readonly Dictionary<string, string> _environment;
    private readonly string _binary;
    private readonly string _origin;

    private Product(string binary, string provider, string connectionString, string folder)
    {
        _binary = binary;
        Provider = provider;
        _origin = $"http://127.0.0.1:{ServerProcess.FreePort()}";
        _environment = new Dictionary<string, string>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["ASPNETCORE_URLS"] = _origin,
            ["IdentityServer__Issuer"] = _origin,
            ["IdentityServer__Database__Provider"] = provider,
            ["IdentityServer__Database__ConnectionString"] = connectionString,
            ["IdentityServer__MasterKey__Path"] = Path.Combine(folder, "master.key"),
        };
    }

    public string Provider { get; }

    public Credentials Client { get; private set; } = new("", "");

    public Credentials Rs256Client { get; private set; } = new("", "");

    /// <summary>Known ahead of discovery, so that the first request to a fresh server can be the one we time.</summary>
    public Uri Token => new($"{_origin}/connect/token");

    public Uri Discovery => Target.DiscoveryOf(_origin);

    public static async Task<Product> SetUpAsync(
        string binary, string provider, string connectionString, string folder, CancellationToken ct)
    {
        var product = new Product(binary, provider, connectionString, folder);
        await product.CommandAsync(["keys", "master-key", "new", product._environment["IdentityServer__MasterKey__Path"]], null, ct);
        await product.CommandAsync(["migrate", "up"], null, ct);
        await product.CommandAsync(["scopes", "add", "bench.read"], null, ct);
        product.Client = await product.AddClientAsync("bench", "ES256", ct);
        product.Rs256Client = await product.AddClientAsync("bench-rs256", "RS256", ct);
        await product.CommandAsync(
            ["users", "add", Browser.User, "--email", "alice@example.test", "--password-stdin"], Password, ct);
        return product;
    }

    public ServerProcess Start() => ServerProcess.Start("dotnet", [_binary, "serve"], _environment);

    public async Task<Target> AttachAsync(ServerProcess process, HttpClient http, CancellationToken ct) => new()
    {
        Name = Provider,
        Process = process,
        Discovery = Discovery,
        Metadata = await Target.DiscoverAsync(http, Discovery, ct),
        Client = Client,
        Rs256Client = Rs256Client,
    };

    private async Task<Credentials> AddClientAsync(string id, string idTokenAlgorithm, CancellationToken ct)
    {
        var output = await CommandAsync(
            [
                "clients", "add", id, "--type", "web", "--redirect-uri", Browser.RedirectUri,
                "--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials",
                "--scope", "openid", "--scope", "offline_access", "--scope", "bench.read",
                "--auth", "basic", "--id-token-alg", idTokenAlgorithm, "--json",
            ],
            null,
            ct);
        using var json = JsonDocument.Parse(output);
        return new Credentials(id, json.RootElement.GetProperty("client_secret").GetString() ?? "");
    }

    private Task<string> CommandAsync(string[] arguments, string? input, CancellationToken ct) =>
        ServerProcess.RunAsync("dotnet", [_binary, .. arguments], _environment, input, ct);
}
