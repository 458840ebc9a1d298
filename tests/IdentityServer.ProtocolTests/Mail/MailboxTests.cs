using System.Net;
using IdentityServer.Mail;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Mail;

/// <summary>Development without a mail server: mails are files, and a page shows them.</summary>
public sealed class MailboxTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_Development_mails_are_files_that_a_page_shows()
    {
        await using var folder = await FolderAsync();
        var link = $"{folder.Issuer}/reset-password?code=abc_DEF-1";
        var ids = await QueuedMail.AddAsync(
            folder,
            Ct,
            (MailKind.PasswordReset, new() { Link = link }),
            (MailKind.NewSignIn, new() { Device = "<img src=x onerror=alert(1)> https://evil.example/", Link = $"{folder.Issuer}/not-me?code=y" }));
        await using var server = await folder.StartAsync(Ct);
        using var http = Browser.CreateClient();
        var browser = new Browser(http);

        var list = await UntilAsync(browser, folder, page => page.Document.QuerySelectorAll("ul.list li").Length == 2);
        var titles = list.Document.QuerySelectorAll("ul.list a").Select(entry => entry.TextContent).ToArray();
        Assert.Equal(["New sign-in to your account · IdentityServer", "Choose a new password · IdentityServer"], titles);
        Assert.Contains("alice@example.com", list.Document.Body!.TextContent, StringComparison.Ordinal);

        var page = await OpenAsync(list, titles[1]);
        Assert.Equal("Choose a new password · IdentityServer", page.Document.QuerySelector("h1")!.TextContent);
        Assert.Contains("Hello Alice 爱丽丝,", page.Document.Body!.TextContent, StringComparison.Ordinal);
        Assert.Contains(link, page.Document.QuerySelectorAll("#panel a").Select(anchor => anchor.GetAttribute("href")));
        Assert.Equal("no-referrer", page.Header("Referrer-Policy"));

        // Only addresses of this server can be followed; what came from outside is text.
        page = await OpenAsync(list, titles[0]);
        Assert.Contains("<img src=x onerror=alert(1)>", page.Document.Body!.TextContent, StringComparison.Ordinal);
        Assert.Empty(page.Document.QuerySelectorAll("#panel img"));
        Assert.All(page.Document.QuerySelectorAll("#panel a"), anchor =>
            Assert.DoesNotContain("evil", anchor.GetAttribute("href"), StringComparison.Ordinal));

        var files = Directory.GetFiles($"{folder.Path}/mails").Select(Path.GetFileName).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(2, files.Length);
        Assert.All(files, file => Assert.EndsWith(".eml", file, StringComparison.Ordinal));
        Assert.Contains(ids[0], files[0], StringComparison.Ordinal);
        Assert.Contains(ids[1], files[1], StringComparison.Ordinal);

        Task<Page> OpenAsync(Page from, string title) => browser.OpenAsync(
            new Uri(from.Address, from.Document.QuerySelectorAll("ul.list a").Single(entry => entry.TextContent == title).GetAttribute("href")!), Ct);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("../../server")]
    [InlineData("..%2f..%2fmaster.key")]
    [InlineData("%00")]
    public async Task A_name_that_is_none_of_the_mails_finds_nothing(string name)
    {
        await using var folder = await FolderAsync();
        Directory.CreateDirectory($"{folder.Path}/mails");
        await File.WriteAllTextAsync($"{folder.Path}/mails/broken.eml", "Date: yesterday\n\nnothing", Ct);
        await File.WriteAllTextAsync($"{folder.Path}/mails/other.eml", "To: x\nDate: Sun, 01 Mar 2026 14:20:00 +0000\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!", Ct);
        await using var server = await folder.StartAsync(Ct);
        using var http = Browser.CreateClient();

        var page = await new Browser(http).OpenAsync(new Uri(folder.Address, $"/mailbox?mail={name}"), Ct);
        var list = await new Browser(http).OpenAsync(new Uri(folder.Address, "/mailbox"), Ct);

        Assert.Equal(HttpStatusCode.NotFound, page.Status);
        Assert.Equal(HttpStatusCode.OK, list.Status);
        Assert.Contains("There is no mail yet", list.Document.Body!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Elsewhere_there_is_no_mailbox()
    {
        await using var server = await ServerFixture.StartAsync(Ct);
        Assert.Equal(HttpStatusCode.NotFound, (await server.FetchAsync("/mailbox", Ct)).Status);

        // Nor where mails are really sent.
        await using var folder = await FolderAsync();
        folder.Environment["IdentityServer__Mail__From"] = "id@example.com";
        folder.Environment["IdentityServer__Mail__Smtp__Host"] = "127.0.0.1";
        await using var sending = await folder.StartAsync(Ct);
        using var http = Browser.CreateClient();
        Assert.Equal(HttpStatusCode.NotFound, (await new Browser(http).OpenAsync(new Uri(folder.Address, "/mailbox"), Ct)).Status);
    }

    private static async Task<ServerFolder> FolderAsync()
    {
        var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        folder.Environment["IdentityServer__Mail__Folder"] = $"{folder.Path}/mails";
        return folder;
    }

    private static async Task<Page> UntilAsync(Browser browser, ServerFolder folder, Func<Page, bool> isSo)
    {
        Page? page = null;
        for (var look = 0; look < 300; look++)
        {
            page = await browser.OpenAsync(new Uri(folder.Address, "/mailbox"), Ct);
            if (isSo(page))
            {
                return page;
            }

            await Task.Delay(50, Ct);
        }

        throw new CheckFailedException($"The mails never came: {page}");
    }
}
