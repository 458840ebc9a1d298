using IdentityServer.Testing;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>A server in Development with its demo, as a developer starts it, and a real browser.</summary>
public sealed class PlaygroundSite : IAsyncLifetime
{
    private ServerFolder _folder = null!;
    private ServerProcess _server = null!;
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public string Issuer => _folder.Issuer;

    public HttpClient Http { get; } = Browser.CreateClient();

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        _folder = await ServerFolder.CreateAsync(ct);
        _folder.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        _server = await _folder.StartAsync(ct);

        // Patience for a busy machine; nothing here measures time.
        Assertions.SetDefaultExpectTimeout(30_000);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-quic", "--disable-background-networking"],
        });
    }

    /// <summary>A browser profile with nothing in it yet, at the playground.</summary>
    internal async Task<Developer> OpenAsync(Action<BrowserNewContextOptions>? change = null)
    {
        var options = new BrowserNewContextOptions { Locale = "en-GB", ViewportSize = new ViewportSize { Width = 1280, Height = 800 } };
        change?.Invoke(options);
        return await Developer.ArriveAsync(await _browser.NewContextAsync(options), Issuer);
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await _server.DisposeAsync();
        await _folder.DisposeAsync();
        Http.Dispose();
    }
}

/// <summary>Somebody who tries the flows out, and notes requests to anyone else and complaints of the browser.</summary>
internal sealed class Developer : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly string _issuer;
    private readonly List<string> _strangers = [];
    private readonly List<string> _complaints = [];

    private Developer(IBrowserContext context, string issuer, IPage page)
    {
        _context = context;
        _issuer = issuer;
        Page = page;
    }

    public IPage Page { get; }

    public IReadOnlyList<string> Strangers => _strangers;

    /// <summary>What the console complains of, except the errors that a step provokes on purpose.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>The newest request, open at the top of the list.</summary>
    public ILocator Newest => Page.Locator("#exchange-list > details").First;

    public ILocator Tokens => Page.Locator("#tokens > details");

    public ILocator Grant => Page.Locator("#grant");

    public static async Task<Developer> ArriveAsync(IBrowserContext context, string issuer)
    {
        var developer = new Developer(context, issuer, await context.NewPageAsync());
        developer.Page.SetDefaultTimeout(60_000);
        developer.Page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(issuer + "/", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                developer._strangers.Add(request.Url);
            }
        };
        developer.Page.PageError += (_, error) => developer._complaints.Add(error);
        developer.Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                developer._complaints.Add(message.Text);
            }
        };
        await developer.GoToAsync("");
        return developer;
    }

    /// <summary>Opens a step, e.g. <c>refresh</c>.</summary>
    public async Task GoToAsync(string step)
    {
        await Page.GotoAsync($"{_issuer}/playground#{step}");
        await IsReadyAsync();
    }

    /// <summary>Presses a button of the step and waits for its answer to appear on top.</summary>
    public async Task PressAsync(string button)
    {
        var before = await Page.Locator("#exchange-list > details").CountAsync();
        await Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();
        await Page.WaitForFunctionAsync("before => document.querySelectorAll('#exchange-list > details').length > before", before);
    }

    /// <summary>From the step to the sign-in page, through it, and back with a code.</summary>
    public async Task SignInAsync(string userName, string password)
    {
        await GoToAsync("signin");
        await Page.GetByRole(AriaRole.Button, new() { Name = "Go to the sign-in page" }).ClickAsync();
        await Page.Locator("input[name=username]").FillAsync(userName);
        await Page.Locator("input[name=password]").FillAsync(password);
        await Page.Locator("button[type=submit]").First.ClickAsync();

        // Asked for once; another test of this server may have answered already.
        var allow = Page.GetByRole(AriaRole.Button, new() { Name = "Allow", Exact = true });
        await allow.Or(Page.Locator("#redeem-h")).First.WaitForAsync();
        if (await allow.CountAsync() > 0)
        {
            await allow.ClickAsync();
            await Page.Locator("#redeem-h").WaitForAsync();
        }

        await IsReadyAsync();
        Assert.Equal($"{_issuer}/playground#redeem", Page.Url);
    }

    public async Task RedeemAsync()
    {
        await PressAsync("Redeem the code");
        await Page.Locator("#tokens > details[data-kind=access]").WaitForAsync();
    }

    public Task IsReadyAsync() => Page.Locator("html[data-ready]").WaitForAsync();

    /// <summary>What the page holds of a token: <c>access</c>, <c>refresh</c>, <c>code</c> …</summary>
    public async Task<string> HeldAsync(string kind) => await Page.EvaluateAsync<string>(
        "kind => JSON.parse(sessionStorage.getItem('playground')).held[kind].text", kind);

    public async Task<string> GrantIdAsync() =>
        await Page.EvaluateAsync<string>("() => JSON.parse(sessionStorage.getItem('playground')).grant");

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
