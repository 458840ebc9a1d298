using System.Collections.Frozen;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>A server and a real browser, shared by all tests. Each test opens a browser profile of its own.</summary>
public sealed class HostedSite : IAsyncLifetime
{
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public ServerFixture Server { get; private set; } = null!;

    /// <summary>An app that asks for consent to everything there is.</summary>
    public RelyingParty App { get; private set; } = null!;

    public Person Alice { get; private set; } = null!;

    public Person Bob { get; private set; } = null!;

    public string Issuer => Server.Address.GetLeftPart(UriPartial.Authority);

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        Server = await ServerFixture.StartAsync(ct, settings =>
        {
            settings["IdentityServer:Brand:Name"] = "Northwind ID";
            settings["IdentityServer:Brand:HelpUrl"] = "mailto:help@northwind.example";
            settings["IdentityServer:Brand:PrivacyUrl"] = "https://northwind.example/privacy";
        });
        await AddOrdersApiAsync(ct);
        App = await Server.AddWebAppAsync("northwind-orders", ct, client => client with
        {
            Name = "Northwind Orders",
            ClientUri = "https://rp.example/",
            PolicyUri = "https://rp.example/privacy",
            TosUri = "https://rp.example/terms",
            Scopes = FrozenSet.Create(
                StringComparer.Ordinal, "openid", "profile", "email", "offline_access", "orders.read", "orders.write"),
        });
        Alice = await Server.AddPersonAsync("alice", ct);
        Bob = await Server.AddPersonAsync("bob", ct);

        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
        });
    }

    /// <summary>A browser profile with nothing in it yet.</summary>
    public async Task<Visitor> OpenAsync(Action<BrowserNewContextOptions>? change = null)
    {
        var options = new BrowserNewContextOptions
        {
            Locale = "en-GB",
            ViewportSize = new ViewportSize { Width = 1280, Height = 800 },
        };
        change?.Invoke(options);
        return await Visitor.ArriveAsync(await _browser.NewContextAsync(options), this);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await Server.DisposeAsync();
    }

    private async Task AddOrdersApiAsync(CancellationToken ct)
    {
        var store = Server.Services.GetRequiredService<IScopeStore>();
        var audit = new AuditEvent(AuditTypes.ApiAdded, Server.Clock.GetUtcNow()) { Actor = "test" };
        Scope[] scopes =
        [
            new("orders.read") { DisplayName = "See your orders", Description = "Every order of your company since 2019." },
            new("orders.write") { DisplayName = "Place and cancel orders", Description = "It acts in your name.", ChangesData = true },
        ];
        foreach (var scope in scopes)
        {
            await store.AddScopeAsync(scope, audit, ct);
        }

        await store.AddApiAsync(new ApiResource("orders") { Scopes = [.. scopes.Select(scope => scope.Name)] }, audit, ct);
    }
}
