using System.Collections.Frozen;
using IdentityServer.Protocol.Clients;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests;

/// <summary>A server with an app of each kind and two people: one for each test class that asks for it.</summary>
public class AppServer : IAsyncLifetime
{
    private static readonly FrozenSet<string> _scopes =
        FrozenSet.Create(StringComparer.Ordinal, "openid", "profile", "email", "offline_access", "api:read");

    private static readonly FrozenSet<string> _personGrants =
        FrozenSet.Create(StringComparer.Ordinal, GrantTypes.AuthorizationCode, GrantTypes.RefreshToken);

    public ServerFixture Server { get; private set; } = null!;

    /// <summary>A confidential web app that asks no consent.</summary>
    public RelyingParty App { get; private set; } = null!;

    /// <summary>Another one.</summary>
    public RelyingParty OtherApp { get; private set; } = null!;

    /// <summary>A public single-page app at <c>https://spa.example</c>.</summary>
    public RelyingParty Spa { get; private set; } = null!;

    /// <summary>A public native app that listens on any loopback port.</summary>
    public RelyingParty Native { get; private set; } = null!;

    /// <summary>A service that may use the scope <c>api:read</c>.</summary>
    public RelyingParty Service { get; private set; } = null!;

    public Person Alice { get; private set; } = null!;

    public Person Mallory { get; private set; } = null!;

    public virtual async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        Server = await ServerFixture.StartAsync(ct, Configure);
        await Server.AddApiAsync("api", ct, "api:read");
        App = await AddWebAppAsync("app", "https://rp.example/callback", ct);
        OtherApp = await AddWebAppAsync("other-app", "https://other.example/callback", ct);
        Spa = await Server.AddClientAsync(Public("spa", ClientType.Spa, "https://spa.example/callback"), ct);
        Native = await Server.AddClientAsync(Public("native", ClientType.Native, "http://127.0.0.1/callback"), ct);
        Service = await Server.AddClientAsync(
            new Client
            {
                Id = "service",
                Type = ClientType.Service,
                Name = "A service",
                AuthMethod = ClientAuthMethods.Basic,
                GrantTypes = FrozenSet.Create(StringComparer.Ordinal, GrantTypes.ClientCredentials),
                Scopes = FrozenSet.Create(StringComparer.Ordinal, "api:read"),
            },
            ct);
        Alice = await Server.AddPersonAsync("alice", ct);
        Mallory = await Server.AddPersonAsync("mallory", ct);
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Server.DisposeAsync();
    }

    /// <summary>Changes settings before the start.</summary>
    protected virtual void Configure(IDictionary<string, string?> settings)
    {
    }

    private Task<RelyingParty> AddWebAppAsync(string id, string redirectUri, CancellationToken ct) =>
        Server.AddWebAppAsync(id, ct, client => client with
        {
            RequireConsent = false,
            RedirectUris = [redirectUri],
            PostLogoutRedirectUris = [redirectUri],
            Scopes = _scopes,
        });

    private static Client Public(string id, ClientType type, string redirectUri) => new()
    {
        Id = id,
        Type = type,
        Name = $"The app {id}",
        AuthMethod = ClientAuthMethods.None,
        GrantTypes = _personGrants,
        Scopes = _scopes,
        RedirectUris = [redirectUri],
        PostLogoutRedirectUris = [redirectUri],
        RequireConsent = false,
    };
}

/// <summary>A test class with such a server of its own.</summary>
public abstract class AppServerTest(AppServer apps) : IClassFixture<AppServer>
{
    protected static CancellationToken Ct => TestContext.Current.CancellationToken;

    protected ServerFixture Server => apps.Server;

    protected OpenIdProvider Provider => apps.Server.Provider;

    protected RelyingParty App => apps.App;

    protected RelyingParty OtherApp => apps.OtherApp;

    protected RelyingParty Spa => apps.Spa;

    protected RelyingParty Native => apps.Native;

    protected RelyingParty Service => apps.Service;

    protected Person Alice => apps.Alice;

    protected Person Mallory => apps.Mallory;

    protected Browser NewBrowser() => new(apps.Server.Http);

    /// <summary>An error page of ours, and no way from there to anywhere else.</summary>
    protected static void AssertStaysOnErrorPage(Page page)
    {
        Assert.False(page.IsRedirect, $"Redirected to {page.Location}.");
        Assert.InRange((int)page.Status, 400, 499);
        Assert.True(page.IsHtml);
        Assert.Null(page.Header("Refresh"));
        Assert.All(page.Document.QuerySelectorAll("[href], [action], [src], [content]"), element =>
        {
            var target = element.GetAttribute("href") ?? element.GetAttribute("action")
                ?? element.GetAttribute("src") ?? element.GetAttribute("content")!;
            Assert.DoesNotContain("evil", target, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("rp.example", target, StringComparison.OrdinalIgnoreCase);
        });
    }
}
