using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;

namespace IdentityServer.Testing;

/// <summary>Several servers on one PostgreSQL, in processes of their own, and a service that may end things at any of them.</summary>
public sealed class ServerCluster : IAsyncDisposable
{
    private const string RedirectUri = "https://rp.example/callback";

    private readonly ServerFolder _folder;
    private readonly ServerProcess?[] _nodes;
    private readonly HttpClient _http;
    private RelyingParty? _admin;
    private string? _adminToken;

    private ServerCluster(ServerFolder folder, IReadOnlyList<Uri> addresses, HttpClient http)
    {
        (_folder, Addresses, _http) = (folder, addresses, http);
        _nodes = new ServerProcess?[addresses.Count];
    }

    /// <summary>Where each node listens.</summary>
    public IReadOnlyList<Uri> Addresses { get; }

    /// <summary>What the cluster tells of itself at its issuer.</summary>
    public OpenIdProvider Provider { get; private set; } = null!;

    public ServerProcess this[int node] => _nodes[node] ?? throw new InvalidOperationException("The node does not run.");

    /// <summary>Sets up a database and starts the nodes.</summary>
    /// <param name="database">An empty database on PostgreSQL.</param>
    /// <param name="count">How many nodes.</param>
    /// <param name="front">
    /// Starts what stands before them and listens at the issuer's address; <see langword="null"/>: the first node listens there itself.
    /// </param>
    /// <param name="http">Asks them.</param>
    /// <param name="ct">Gives up.</param>
    public static async Task<ServerCluster> StartAsync(
        string database, int count, Func<Uri, IReadOnlyList<Uri>, Task>? front, HttpClient http, CancellationToken ct)
    {
        var folder = await ServerFolder.CreateAsync(ct);
        folder.Environment["IdentityServer__Database__Provider"] = "PostgreSql";
        folder.Environment["IdentityServer__Database__ConnectionString"] = database;
        Uri[] addresses = [.. Enumerable.Range(0, count).Select(i => i == 0 && front is null ? folder.Address : FreeAddress())];
        var cluster = new ServerCluster(folder, addresses, http);
        try
        {
            await cluster.RunAsync(null, ct, "migrate", "up");

            // The first makes the keys.
            await cluster.StartNodeAsync(0, ct);
            await Task.WhenAll(Enumerable.Range(1, count - 1).Select(node => cluster.StartNodeAsync(node, ct)));
            if (front is not null)
            {
                await front(folder.Address, addresses);
            }

            cluster.Provider = await OpenIdProvider.DiscoverAsync(http, folder.Issuer, ct);
            cluster._admin = await cluster.AddClientAsync("admin", ct, "--type", "service", "--scope", "admin:sessions");
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts a node that was killed, and waits until it is ready.</summary>
    public async Task StartNodeAsync(int node, CancellationToken ct)
    {
        if (_nodes[node] is { } before)
        {
            await before.DisposeAsync();
            _nodes[node] = null;
        }

        _nodes[node] = await _folder.StartAsync(Addresses[node], ct);
    }

    /// <summary>Adds a person.</summary>
    public async Task<Person> AddPersonAsync(string name, CancellationToken ct)
    {
        var person = new Person(name, "nine lilac umbrellas wait");
        await RunAsync(person.Password, ct, "users", "add", name, "--email", $"{name}@example.com", "--password-stdin");
        return person;
    }

    /// <summary>Adds a web app that asks no consent.</summary>
    /// <param name="id">The client id.</param>
    /// <param name="ct">Gives up.</param>
    /// <param name="scopes">What it may ask for; none: what such apps may.</param>
    public Task<RelyingParty> AddAppAsync(string id, CancellationToken ct, params string[] scopes) => AddClientAsync(
        id, ct, ["--type", "web", "--redirect-uri", RedirectUri, "--no-consent", .. scopes.SelectMany(scope => new[] { "--scope", scope })]);

    /// <summary>Adds an API with a scope, and the client of the same name by which it follows the revocation feed.</summary>
    public async Task<RelyingParty> AddApiAsync(string name, string scope, CancellationToken ct)
    {
        await RunAsync(null, ct, "scopes", "add", scope);
        await RunAsync(null, ct, "apis", "add", name, "--scope", scope);
        return await AddClientAsync(name, ct, "--type", "service", "--scope", "revocations");
    }

    /// <summary>Ends what an address of the admin API names, such as <c>/sessions/SID</c>, at one node.</summary>
    public async Task EndAsync(Uri node, string path, CancellationToken ct)
    {
        _adminToken ??= (await _admin!.ClientCredentialsAsync("admin:sessions", ct)).AccessToken;
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(node, "/admin/api/v1" + path))
        {
            Content = JsonContent.Create(new { reason = "a test" }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _adminToken);
        using var response = await _http.SendAsync(request, ct);
        Check.That(response.IsSuccessStatusCode, $"{path} was not ended: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync(ct)}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            if (node is not null)
            {
                await node.DisposeAsync();
            }
        }

        await _folder.DisposeAsync();
    }

    private async Task<RelyingParty> AddClientAsync(string id, CancellationToken ct, params string[] registration)
    {
        var added = await RunAsync(null, ct, ["clients", "add", id, .. registration, "--json"]);
        return new RelyingParty
        {
            Http = _http,
            Provider = Provider,
            Clock = TimeProvider.System,
            ClientId = id,
            Secret = (string)added.Json["client_secret"]!,
            RedirectUri = RedirectUri,
        };
    }

    private async Task<CommandResult> RunAsync(string? input, CancellationToken ct, params string[] arguments)
    {
        var result = await _folder.RunAsync(arguments, input, ct);
        result.Expect();
        return result;
    }

    private static Uri FreeAddress() => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ServerFolder.FreePort()}"));
}
