using AngleSharp.Html.Dom;
using IdentityServer.Storage;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Account;

/// <summary>A server with apps and people, for tests at the account pages.</summary>
public sealed class AccountServer : Mail.MailingServer
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A web app that asks for consent.</summary>
    public RelyingParty Asking { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        Asking = await Server.AddWebAppAsync("asking", Ct);
    }

    /// <summary>Somebody nobody else knows.</summary>
    public Task<Person> AddPersonAsync(params string[] roles) => Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct, roles);

    public async Task<User> FindAsync(Person person) =>
        (await Server.Services.GetRequiredService<ICredentials>().FindAsync(person.UserName, Ct))!.User;

    public async Task ChangeAsync(Person person, Action<User> change)
    {
        await using var db = await OpenAsync();
        change(await db.Users.SingleAsync(user => user.UserName == person.UserName, Ct));
        await db.SaveChangesAsync(Ct);
    }

    public Task<ServerDb> OpenAsync() => Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);

    /// <summary>Signs in and goes to a page of the account.</summary>
    public async Task<(Browser Browser, Page Page)> EnterAsync(Person person, string path = "/account")
    {
        var browser = new Browser(Server.Http);

        // Each code works once.
        Server.Clock.Advance(TimeSpan.FromSeconds(30));
        var page = await browser.SignInAsync(await OpenAsync(browser, "/account"), person, Ct);
        Assert.Equal("/account", page.Address.AbsolutePath);
        return (browser, path == "/account" ? page : await OpenAsync(browser, path));
    }

    public Task<Page> OpenAsync(Browser browser, string path) => browser.OpenAsync(new Uri(Server.Address, path), Ct);

    /// <summary>Sends a form of the page, with other values if there are any.</summary>
    public static Task<Page> SendAsync(Browser browser, Page page, string? handler, params (string Name, string? Value)[] answers) =>
        browser.SubmitAsync(
            page, FormOf(page, handler), answers.ToDictionary(answer => answer.Name, answer => answer.Value, StringComparer.Ordinal), null, Ct);

    /// <summary>The first form that does that.</summary>
    public static IHtmlFormElement FormOf(Page page, string? handler) =>
        FormsOf(page, handler).FirstOrDefault() ?? throw new CheckFailedException($"There is no such form here: {page}");

    public static IEnumerable<IHtmlFormElement> FormsOf(Page page, string? handler) => page.Forms.Where(form =>
        page.ActionOf(form).Query.Contains("handler=", StringComparison.Ordinal)
            ? handler is not null && page.ActionOf(form).Query.Contains($"handler={handler}", StringComparison.Ordinal)
            : handler is null);
}
