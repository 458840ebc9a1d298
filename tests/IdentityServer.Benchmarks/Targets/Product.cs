using IdentityServer.Testing;

namespace IdentityServer.Benchmarks.Targets;

/// <summary>Our server as an operator would set it up: a Release build, Production, a fresh database, two clients, one person.</summary>
internal sealed class Product : IAsyncDisposable
{
    public const string Sqlite = "Sqlite";
    public const string PostgreSql = "PostgreSql";
    private const string ClientId = "bench";
    private const string Rs256ClientId = "bench-rs256";
    private readonly ServerFolder _folder;
    private string _secret = "";
    private string _rs256Secret = "";

    private Product(ServerFolder folder) => _folder = folder;

    public string Provider => _folder.Environment["IdentityServer__Database__Provider"];

    /// <param name="postgres">Where to make a database; <see langword="null"/> for SQLite.</param>
    /// <param name="ct">Stops waiting.</param>
    public static async Task<Product> SetUpAsync(PostgresServer? postgres, CancellationToken ct)
    {
        var folder = await ServerFolder.CreateAsync(ct);
        if (postgres is not null)
        {
            folder.Environment["IdentityServer__Database__Provider"] = PostgreSql;
            folder.Environment["IdentityServer__Database__ConnectionString"] = await postgres.CreateDatabaseAsync(ct);
        }

        var product = new Product(folder);
        await product.CommandAsync(["migrate", "up"], null, ct);
        await product.CommandAsync(["scopes", "add", Target.ServiceScope], null, ct);
        product._secret = await product.AddClientAsync(ClientId, "ES256", ct);
        product._rs256Secret = await product.AddClientAsync(Rs256ClientId, "RS256", ct);
        await product.CommandAsync(
            ["users", "add", Target.Alice.UserName, "--email", "alice@example.test", "--password-stdin"],
            Target.Alice.Password + "\n",
            ct);
        return product;
    }

    /// <summary>Returns before the server listens: how long that takes is one of the questions.</summary>
    public MeasuredProcess Start() => MeasuredProcess.Start(Repository.ServerProgram, ["serve"], _folder.Environment);

    /// <summary>The client before its server can be asked for anything: the address is known, so the first request can be timed.</summary>
    public RelyingParty EarlyClient(HttpClient http)
    {
        var metadata = new System.Text.Json.Nodes.JsonObject { ["token_endpoint"] = $"{_folder.Issuer}/connect/token" };
        return Target.NewClient(http, new OpenIdProvider(_folder.Issuer, metadata, []), ClientId, _secret);
    }

    public async Task<Target> AttachAsync(MeasuredProcess process, HttpClient http, CancellationToken ct)
    {
        var provider = await OpenIdProvider.DiscoverAsync(http, _folder.Issuer, ct);
        return new Target
        {
            Name = Provider,
            Process = process,
            Client = Target.NewClient(http, provider, ClientId, _secret),
            Rs256Client = Target.NewClient(http, provider, Rs256ClientId, _rs256Secret),
        };
    }

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    private async Task<string> AddClientAsync(string id, string idTokenAlgorithm, CancellationToken ct)
    {
        var added = await CommandAsync(
            [
                "clients", "add", id, "--type", "web", "--redirect-uri", Target.RedirectUri,
                "--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials",
                .. Target.Scope.Split(' ').SelectMany(scope => new[] { "--scope", scope }),
                "--auth", "basic", "--id-token-alg", idTokenAlgorithm, "--json",
            ],
            null,
            ct);
        return (string)added.Json["client_secret"]!;
    }

    private async Task<CommandResult> CommandAsync(string[] arguments, string? input, CancellationToken ct)
    {
        var result = await _folder.RunAsync(arguments, input, ct);
        result.Expect();
        return result;
    }
}
