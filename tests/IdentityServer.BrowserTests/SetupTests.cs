using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.BrowserTests;

/// <summary>The first administrator of a new server; no browser needed.</summary>
public sealed class SetupTests
{
    private const string Password = "nine lilac umbrellas wait";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_link_makes_one_administrator_and_no_second()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        var code = await MakeLinkAsync(server);
        var browser = new Browser(server.Http);
        var home = await SubmitAsync(browser, await OpenAsync(server, browser, code), "root", "root@example.com", Password);

        Assert.Contains("You are signed in, root", home.Text, StringComparison.Ordinal);
        await using var scope = server.Services.CreateAsyncScope();
        var entry = Assert.Single(await scope.ServiceProvider.GetRequiredService<Users>().ListAsync(Ct));
        Assert.Equal([Roles.Admin], entry.Roles);

        var again = await OpenAsync(server, new Browser(server.Http), code);
        Assert.Contains("set-up link does not work", again.Text, StringComparison.Ordinal);
        var bare = await new Browser(server.Http).OpenAsync(new Uri(server.Address, "/setup"), Ct);
        Assert.Contains("set-up link does not work", bare.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_link_works_for_half_an_hour()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        var code = await MakeLinkAsync(server);
        var browser = new Browser(server.Http);
        var page = await OpenAsync(server, browser, code);
        server.Clock.Advance(TimeSpan.FromMinutes(30));

        var late = await SubmitAsync(browser, page, "root", "root@example.com", Password);
        Assert.Contains("set-up link does not work", late.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_mistake_is_named_and_what_was_typed_comes_back_except_the_password()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        var code = await MakeLinkAsync(server);
        var browser = new Browser(server.Http);
        var page = await SubmitAsync(browser, await OpenAsync(server, browser, code), "root", "root@example.com", "rootrootrootroot1");
        var document = page.Document;

        Assert.StartsWith("Error: ", document.Title, StringComparison.Ordinal);
        Assert.NotNull(document.QuerySelector("#new-password-error"));
        Assert.Equal("#new-password", document.QuerySelector(".notice.bad a")!.GetAttribute("href"));
        Assert.Equal("root", document.QuerySelector("#username")!.GetAttribute("value"));
        Assert.Equal("root@example.com", document.QuerySelector("#email")!.GetAttribute("value"));
        Assert.DoesNotContain("rootrootrootroot1", page.Text, StringComparison.Ordinal);

        var mended = await SubmitAsync(browser, page, "root", "root@example.com", Password);
        Assert.Contains("You are signed in, root", mended.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guessed_code_makes_nobody()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        await MakeLinkAsync(server);
        var browser = new Browser(server.Http);
        var page = await browser.OpenAsync(new Uri(server.Address, "/setup"), Ct);
        var refused = await SubmitAsync(browser, page, "root", "root@example.com", Password, Handle.Create().Text);

        Assert.NotNull(refused.Document.QuerySelector("#setup-code-error"));
        await using var scope = server.Services.CreateAsyncScope();
        Assert.Empty(await scope.ServiceProvider.GetRequiredService<Users>().ListAsync(Ct));
    }

    private static async Task<string> MakeLinkAsync(ServerFixture server)
    {
        var now = server.Clock.GetUtcNow();
        var handle = Handle.Create();
        await server.Services.GetRequiredService<ISetupLinks>().CreateAsync(
            handle.Hash, now, now.AddMinutes(30), new AuditEvent(AuditTypes.SetupLinkMade, now), Ct);
        return handle.Text;
    }

    private static Task<Page> OpenAsync(ServerFixture server, Browser browser, string code) =>
        browser.OpenAsync(new Uri(server.Address, "/setup?code=" + code), Ct);

    private static Task<Page> SubmitAsync(
        Browser browser, Page page, string name, string email, string password, string? code = null)
    {
        var answers = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["username"] = name,
            ["email"] = email,
            ["new-password"] = password,
        };
        if (code is not null)
        {
            answers["setup-code"] = code;
        }

        return browser.SubmitAsync(page, page.SignInForm!, answers, null, Ct);
    }
}
