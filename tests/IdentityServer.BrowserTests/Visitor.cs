using IdentityServer.Testing;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>
/// Somebody at a browser. Notes what a careful observer would: requests to anyone else, complaints in the console, and what
/// every form was answered with.
/// </summary>
public sealed class Visitor : IAsyncDisposable
{
    private const string AppOrigin = "https://rp.example";

    private readonly IBrowserContext _context;
    private readonly HostedSite _site;
    private readonly List<string> _strangers = [];
    private readonly List<string> _complaints = [];
    private readonly List<(string Path, int Status)> _posts = [];

    private Visitor(IBrowserContext context, HostedSite site, IPage page)
    {
        _context = context;
        _site = site;
        Page = page;
    }

    public IPage Page { get; }

    public IBrowserContext Context => _context;

    /// <summary>Addresses outside the server that a page of it asked for; going back to the app is no such request.</summary>
    public IReadOnlyList<string> Strangers => _strangers;

    /// <summary>Warnings and errors in the browser's console, such as violations of the content security policy.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>The path and status of every form sent to the server.</summary>
    public IReadOnlyList<(string Path, int Status)> Posts => _posts;

    /// <summary>Where the app was reached again.</summary>
    public Uri? BackAtApp { get; private set; }

    internal static async Task<Visitor> ArriveAsync(IBrowserContext context, HostedSite site)
    {
        var visitor = new Visitor(context, site, await context.NewPageAsync());
        await context.RouteAsync("**/*", visitor.MeetAsync);
        visitor.Page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                visitor._complaints.Add(message.Text);
            }
        };
        visitor.Page.PageError += (_, error) => visitor._complaints.Add(error);
        visitor.Page.Response += (_, response) =>
        {
            if (response.Request.Method == "POST" && response.Url.StartsWith(site.Issuer, StringComparison.Ordinal))
            {
                visitor._posts.Add((new Uri(response.Url).AbsolutePath, response.Status));
            }
        };
        return visitor;
    }

    /// <summary>Opens a page of the server.</summary>
    public Task<IResponse?> OpenAsync(string path) => Page.GotoAsync(_site.Issuer + path);

    /// <summary>Comes from the app with an authorization request.</summary>
    public Task<IResponse?> ComeFromAppAsync(string scope = "openid profile email", params (string Name, string Value)[] more)
    {
        var attempt = more.Aggregate(_site.App.Attempt(scope), (sofar, parameter) => sofar.With(parameter.Name, parameter.Value));
        return Page.GotoAsync(attempt.At(_site.Server.Provider.Authorization).AbsoluteUri);
    }

    /// <summary>Fills in the sign-in form and sends it.</summary>
    public async Task SignInAsync(Person person, bool keep = false)
    {
        await Page.Locator("input[name=username]").FillAsync(person.UserName);
        await Page.Locator("input[name=password]").FillAsync(person.Password);
        if (keep)
        {
            await Page.Locator("input[name=keep]").CheckAsync();
        }

        await Page.Locator("button[type=submit]").ClickAsync();
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    private async Task MeetAsync(IRoute route)
    {
        var address = route.Request.Url;
        if (address.StartsWith(_site.Issuer, StringComparison.Ordinal) || address.StartsWith("data:", StringComparison.Ordinal))
        {
            await route.ContinueAsync();
            return;
        }

        if (route.Request.IsNavigationRequest && address.StartsWith(AppOrigin, StringComparison.Ordinal))
        {
            BackAtApp = new Uri(address);
        }
        else
        {
            _strangers.Add(address);
        }

        await route.FulfillAsync(new RouteFulfillOptions { Status = 200, ContentType = "text/html", Body = "<title>The app</title>" });
    }
}
