using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance;

/// <summary>
/// The server under test with the clients the plans ask for and a person with every standard claim. Modules take turns
/// on it, because some of them move its clock.
/// </summary>
public sealed class ConformanceServer : IAsyncLifetime
{
    public const string RedirectUri = "https://rp.example/callback";
    public const string PostLogoutRedirectUri = "https://rp.example/signed-out";

    private ServerFixture? _server;
    private RelyingParty? _client;
    private RelyingParty? _otherClient;
    private RelyingParty? _postClient;
    private Person? _person;

    public ServerFixture Server => _server ?? throw new InvalidOperationException("Not started.");

    /// <summary>The plans' first client: client_secret_basic.</summary>
    public RelyingParty Client => _client!;

    /// <summary>The plans' second client.</summary>
    public RelyingParty OtherClient => _otherClient!;

    /// <summary>A client of client_secret_post.</summary>
    public RelyingParty PostClient => _postClient!;

    public Person Person => _person!;

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        _server = await ServerFixture.StartAsync(ct);
        _client = await AddClientAsync("conformance-1", "client_secret_basic", ct);
        _otherClient = await AddClientAsync("conformance-2", "client_secret_basic", ct);
        _postClient = await AddClientAsync("conformance-post", "client_secret_post", ct);
        _person = await _server.AddPersonAsync("alice", ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    private async Task<RelyingParty> AddClientAsync(string id, string authMethod, CancellationToken ct) =>
        await Server.AddWebAppAsync(id, ct, client => client with
        {
            AuthMethod = authMethod,
            RedirectUris = [RedirectUri],
            PostLogoutRedirectUris = [PostLogoutRedirectUri],
        });
}
