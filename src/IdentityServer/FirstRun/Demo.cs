using System.Collections.Frozen;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Scopes;

namespace IdentityServer.FirstRun;

/// <summary>
/// The demo that Development starts with. Its secrets and passwords stand here for everyone to read: that is why commands in the
/// README can be copied, and why no other environment starts on a database that holds them (<see cref="FirstStart"/>).
/// </summary>
public static class Demo
{
    public const string WebClient = "demo-web";
    public const string SpaClient = "demo-spa";
    public const string NativeClient = "demo-native";
    public const string ServiceClient = "demo-service";
    public const string Api = "orders-api";

    public const string WebSecret = "development-only-secret-of-demo-web";
    public const string ServiceSecret = "development-only-secret-of-demo-service";
    public const string ApiSecret = "development-only-secret-of-orders-api";

    private const string ReadOrders = "orders.read";
    private const string WriteOrders = "orders.write";
    private static readonly FrozenSet<string> KnownSecrets =
        new[] { WebSecret, ServiceSecret, ApiSecret }.Select(Handle.HashOf).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Two people. The passwords satisfy the password rules.</summary>
    public static IReadOnlyList<DemoPerson> People { get; } =
    [
        new("alice", "Alice Archer", "alice@example.com", "copper-heron-above-quiet-water", IsAdmin: true),
        new("bob", "Bob Baker", "bob@example.com", "seven-marble-teapots-whistling", IsAdmin: false),
    ];

    public static IReadOnlyList<Scope> Scopes { get; } =
    [
        new(ReadOrders) { DisplayName = "See your orders", Description = "What you ordered, and when." },
        new(WriteOrders) { DisplayName = "Place orders for you", Description = "New orders in your name.", ChangesData = true },
    ];

    public static ApiResource OrdersApi { get; } =
        new(Api) { DisplayName = "Orders", Scopes = [ReadOrders, WriteOrders], IntrospectionClients = [ServiceClient] };

    /// <summary>One client of each common kind; the single-page app is the playground.</summary>
    public static IReadOnlyList<Client> Clients(string issuer, DateTimeOffset now) =>
    [
        new ClientDraft(WebClient, ClientType.Web)
        {
            Name = "Demo web app",
            RedirectUris = ["http://localhost:5002/callback"],
            PostLogoutRedirectUris = ["http://localhost:5002/"],
            Scopes = PersonScopes,
        }.Build(Secret(WebSecret, now), now),
        new ClientDraft(SpaClient, ClientType.Spa)
        {
            Name = "Playground",
            RedirectUris = [PlaygroundCallback(issuer)],
            PostLogoutRedirectUris = [PlaygroundCallback(issuer)],
            Scopes = PersonScopes,
        }.Build(secret: null, now),
        new ClientDraft(NativeClient, ClientType.Native)
        {
            Name = "Demo native app",
            RedirectUris = ["http://127.0.0.1/callback", "com.example.demo:/callback"],
            Scopes = PersonScopes,
        }.Build(secret: null, now),
        new ClientDraft(ServiceClient, ClientType.Service)
        {
            Name = "Demo service",
            Scopes = [ReadOrders, WriteOrders],
        }.Build(Secret(ServiceSecret, now), now),
        ApiClient(now),
    ];

    /// <summary>The API as a client: it follows what has ended, and may introspect its own tokens because it has its name.</summary>
    public static Client ApiClient(DateTimeOffset now) => new ClientDraft(Api, ClientType.Service)
    {
        Name = "Demo API",
        Scopes = [AdminScopes.Revocations],
    }.Build(Secret(ApiSecret, now), now);

    /// <summary>Where the playground gets its answers.</summary>
    public static string PlaygroundCallback(string issuer) => $"{issuer}/playground/callback";

    /// <summary>True when the client proves itself with a secret that stands in this file.</summary>
    public static bool HasKnownSecret(Client client) => client.Secrets.Any(secret => KnownSecrets.Contains(secret.Hash));

    private static string[] PersonScopes => ["openid", "profile", "email", "offline_access", ReadOrders, WriteOrders];

    private static ClientSecret Secret(string text, DateTimeOffset now) => new(Handle.NewId(), Handle.HashOf(text), now, ExpiresAt: null);
}

/// <summary>Somebody to sign in as.</summary>
public sealed record DemoPerson(string UserName, string Name, string Email, string Password, bool IsAdmin);
