using System.Collections.Frozen;
using System.Globalization;
using IdentityServer.Logout;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Storage;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>
/// A server, an app and a real browser, shared by all tests, which run one after the other: some of them move the server's clock.
/// Each opens a browser profile of its own.
/// </summary>
[CollectionDefinition(Shared)]
public sealed class HostedSite : IAsyncLifetime, ICollectionFixture<HostedSite>
{
    public const string Shared = "hosted site";

    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    private WebApplication _app = null!;

    public ServerFixture Server { get; private set; } = null!;

    /// <summary>Where its mails arrive.</summary>
    public MailServer Mails { get; private set; } = null!;

    /// <summary>Where the app lives: another origin, a page that says nothing.</summary>
    public string AppOrigin { get; private set; } = "";

    /// <summary>An app that asks for consent to everything there is.</summary>
    public RelyingParty App { get; private set; } = null!;

    public Person Alice { get; private set; } = null!;

    public Person Bob { get; private set; } = null!;

    /// <summary>Somebody with the role operator and an authenticator app.</summary>
    public Person Opal { get; private set; } = null!;

    public string Issuer => Server.Address.GetLeftPart(UriPartial.Authority);

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        await StartAppAsync(ct);
        Mails = await MailServer.StartAsync(ct);
        Server = await ServerFixture.StartAsync(ct, settings =>
        {
            settings["IdentityServer:Accounts:Registration"] = "true";
            settings["IdentityServer:Mail:From"] = "id@northwind.example";
            settings["IdentityServer:Mail:Smtp:Host"] = "127.0.0.1";
            settings["IdentityServer:Mail:Smtp:Port"] = Mails.Port.ToString(CultureInfo.InvariantCulture);
            settings["IdentityServer:Mail:Smtp:Tls"] = "None";
            settings["IdentityServer:Issuer"] = ServerFixture.AtLocalhost(settings["urls"]!);
            settings["IdentityServer:Brand:Name"] = "Northwind ID";
            settings["IdentityServer:Brand:HelpUrl"] = "mailto:help@northwind.example";
            settings["IdentityServer:Brand:PrivacyUrl"] = "https://northwind.example/privacy";
        }, services => services.AddSingleton(new LogoutReach(LoopbackInTheClear: true)));
        await AddOrdersApiAsync(ct);
        App = await Server.AddWebAppAsync("northwind-orders", ct, client => client with
        {
            Name = "Northwind Orders",
            RedirectUris = [AppOrigin + "/callback"],
            PostLogoutRedirectUris = [AppOrigin + "/signed-out"],
            ClientUri = AppOrigin,
            PolicyUri = AppOrigin + "/privacy",
            TosUri = AppOrigin + "/terms",
            Scopes = FrozenSet.Create(
                StringComparer.Ordinal, "openid", "profile", "email", "offline_access", "orders.read", "orders.write"),
        });
        Alice = await Server.AddPersonAsync("alice", ct);
        Bob = await Server.AddPersonAsync("bob", ct);
        Opal = await Server.GiveAppAsync(await Server.AddPersonAsync("opal", ct, "operator"), ct);

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

    /// <summary>A browser profile with nothing in it yet, of somebody with their own language, screen and wish for light or dark.</summary>
    public Task<Visitor> OpenAsync(string locale, int width, ColorScheme scheme, ForcedColors forced = ForcedColors.None) => OpenAsync(options =>
    {
        options.Locale = locale;
        options.ViewportSize = new ViewportSize { Width = width, Height = 800 };
        options.ColorScheme = scheme;
        options.ForcedColors = forced;
    });

    /// <summary>Takes every turn to check a password, and every place in the queue, until disposed of.</summary>
    public async Task<IAsyncDisposable> CrowdAsync(CancellationToken ct) => await Crowd.GatherAsync(Server, ct);

    /// <summary>Somebody new whose name has no place to break.</summary>
    public async Task<Person> AddLongNamedPersonAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        var person = await Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), ct);
        await using var db = await Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(ct);
        (await db.Users.SingleAsync(user => user.UserName == person.UserName, ct)).Name = string.Concat(Enumerable.Repeat("Llanfair", 8));
        await db.SaveChangesAsync(ct);
        return person;
    }

    /// <summary>Nobody is an administrator any more: with one, the set-up page is closed to the tests that look at it.</summary>
    public async Task DismissAdminsAsync(CancellationToken ct)
    {
        await using var db = await Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(ct);
        await db.UserRoles
            .Where(member => db.Roles.Any(role => role.Id == member.RoleId && role.Name == Roles.Admin))
            .ExecuteDeleteAsync(ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await Server.DisposeAsync();
        await Mails.DisposeAsync();
        await _app.DisposeAsync();
    }

    private async Task StartAppAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(async http =>
        {
            http.Response.ContentType = "text/html";
            await http.Response.WriteAsync("<!doctype html><link rel=icon href=data:,><title>The app</title>", http.RequestAborted);
        });
        await _app.StartAsync(ct);
        AppOrigin = _app.Urls.Single();
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
        await Server.Services.GetRequiredService<ChangeFeed>().PollAsync(ct);
    }
}
