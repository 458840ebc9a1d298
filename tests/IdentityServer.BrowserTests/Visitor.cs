using System.Text.RegularExpressions;
using IdentityServer.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace IdentityServer.BrowserTests;

/// <summary>
/// Somebody at a browser. Notes what a careful observer would: requests to anyone else, complaints in the console, and what
/// every form was answered with.
/// </summary>
public sealed class Visitor : IAsyncDisposable
{
    // Of a busy machine; nothing here measures time.
    private const float Patience = 30_000;

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

    /// <summary>Addresses that a page of the server asked for elsewhere; going back to the app is no such request.</summary>
    public IReadOnlyList<string> Strangers => _strangers;

    /// <summary>Warnings and errors in the browser's console, such as violations of the content security policy.</summary>
    public IReadOnlyList<string> Complaints => _complaints;

    /// <summary>The path and status of every form sent to the server.</summary>
    public IReadOnlyList<(string Path, int Status)> Posts => _posts;

    internal static async Task<Visitor> ArriveAsync(IBrowserContext context, HostedSite site)
    {
        var visitor = new Visitor(context, site, await context.NewPageAsync());
        visitor.Page.Request += (_, request) => visitor.Note(request);
        visitor.Page.Response += (_, response) => visitor.Note(response);
        visitor.Page.Console += (_, message) => visitor.Note(message);
        visitor.Page.PageError += (_, error) => visitor._complaints.Add(error);
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

    /// <summary>Allows the app what it asks for, if it has to ask, and goes back there.</summary>
    public async Task AllowAsync()
    {
        if (Page.Url.Contains("/consent?", StringComparison.Ordinal))
        {
            await Page.Locator("button[value=allow]").ClickAsync();
        }

        await WaitForAppAsync();
    }

    /// <summary>Fills in the sign-in form and sends it.</summary>
    public async Task SignInAsync(Person person, bool keep = false)
    {
        await Page.Locator("input[name=username]").FillAsync(person.UserName);
        await Page.Locator("input[name=password]").FillAsync(person.Password);
        if (keep)
        {
            await Page.Locator("#keep").CheckAsync();
        }

        await Page.Locator("form:has(input[name=password]) button[type=submit]").ClickAsync();
        if (person.App is { } app)
        {
            // Each code works once: the next one.
            await Page.Locator("input.code").WaitForAsync();
            _site.Server.Clock.Advance(TimeSpan.FromSeconds(30));
            await Page.Locator("input.code").FillAsync(app.Code);
            await Page.Locator("button[type=submit]").ClickAsync();
        }
    }

    /// <summary>
    /// Fills a field in and sends its form, also where the browser would say itself that something is missing, and waits for the answer.
    /// </summary>
    public async Task SendAsync(string field, string text)
    {
        var typed = Page.Locator(field);
        await typed.FillAsync(text);
        await typed.EvaluateAsync("field => { field.form.noValidate = true; document.documentElement.dataset.before = ''; }");
        await Page.Locator($"form:has({field}) button[type=submit]").ClickAsync();
        await IsThereAsync(Page.Locator("html:not([data-before])"));
    }

    /// <summary>Waits until a page is reached and is there as a whole.</summary>
    /// <param name="address">Its address, where <c>*</c> stands for anything but a slash and <c>**</c> for anything.</param>
    /// <remarks>
    /// Looks at what the browser shows until it is so. What the browser tells of loading in passing can be missed on a busy machine, and a
    /// page that asks for a passkey is never at rest.
    /// </remarks>
    public async Task ReachAsync(string address)
    {
        var pattern = Regex.Escape(address).Replace(@"\*\*", ".*", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal);
        await Expect(Page).ToHaveURLAsync(new Regex($"^{pattern}$", RegexOptions.None, TimeSpan.FromSeconds(1)), new() { Timeout = Patience });
        await IsThereAsync(Page.Locator("html"));
    }

    /// <summary>Goes on with the Tab key alone until something has the focus.</summary>
    public async Task TabToAsync(string what)
    {
        await Page.Locator(what).First.WaitForAsync();
        for (var steps = 0; !await Page.EvaluateAsync<bool>("what => document.activeElement.matches(what)", what); steps++)
        {
            Assert.True(steps < 60, $"The keyboard does not lead to {what} at {Page.Url}.");
            await Page.Keyboard.PressAsync("Tab");
        }
    }

    /// <summary>Goes to something with the Tab key and presses a key there.</summary>
    public async Task PressAsync(string what, string key = "Enter")
    {
        await TabToAsync(what);
        await Page.Keyboard.PressAsync(key);
    }

    /// <summary>Goes to a field with the Tab key and types.</summary>
    public async Task TypeAsync(string field, string text)
    {
        await TabToAsync(field);
        await Page.Keyboard.TypeAsync(text);
    }

    /// <summary>Fills in the sign-in form and sends it, with the keyboard alone.</summary>
    public async Task SignInByKeyboardAsync(Person person)
    {
        await TypeAsync("#username", person.UserName);
        await TypeAsync("#password", person.Password);
        await Page.Keyboard.PressAsync("Enter");
    }

    /// <summary>Waits until the app is reached again.</summary>
    /// <returns>The address it was reached at.</returns>
    public async Task<Uri> WaitForAppAsync()
    {
        await ReachAsync(_site.AppOrigin + "/**");
        return new Uri(Page.Url);
    }

    public ValueTask DisposeAsync() => _context.DisposeAsync();

    private static Task IsThereAsync(ILocator page) =>
        Expect(page).ToHaveJSPropertyAsync("ownerDocument.readyState", "complete", new() { Timeout = Patience });

    private void Note(IRequest request)
    {
        var isOurs = request.Url.StartsWith(_site.Issuer, StringComparison.Ordinal)
            || request.Url.StartsWith("data:", StringComparison.Ordinal);
        if (!isOurs && !request.IsNavigationRequest)
        {
            _strangers.Add(request.Url);
        }
    }

    private void Note(IResponse response)
    {
        if (response.Request is { Method: "POST", IsNavigationRequest: true } && response.Url.StartsWith(_site.Issuer, StringComparison.Ordinal))
        {
            _posts.Add((new Uri(response.Url).AbsolutePath, response.Status));
        }
    }

    private void Note(IConsoleMessage message)
    {
        // The browser also reports each page that was answered with an error status, which error pages are.
        var isStatus = message.Text.StartsWith("Failed to load resource: the server responded", StringComparison.Ordinal)
            && !message.Location.Contains("/assets/", StringComparison.Ordinal);
        if (message.Type is "error" or "warning" && !isStatus)
        {
            _complaints.Add(message.Text);
        }
    }
}
