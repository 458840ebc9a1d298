using System.Net;
using IdentityServer.Testing;

namespace IdentityServer.BrowserTests;

[Collection(HostedSite.Shared)]
public sealed class ErrorPageTests(HostedSite site)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_error_that_cannot_go_to_the_app_says_what_happened_and_has_an_id()
    {
        var page = await OpenAsync(site.App.Attempt().With("redirect_uri", "https://evil.example/<b>")
            .At(site.Server.Provider.Authorization).PathAndQuery);

        Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        Assert.Equal(page.Header("X-Request-Id"), page.Document.QuerySelector(".key-text")!.TextContent);
        var facts = page.Document.QuerySelector("details")!.TextContent;
        Assert.Contains("redirect_uri", facts, StringComparison.Ordinal);
        Assert.Contains("northwind-orders", facts, StringComparison.Ordinal);
        Assert.DoesNotContain("evil", page.Text, StringComparison.Ordinal);
        AssertHeaders(page);
    }

    [Theory]
    [InlineData("/nothing-here", HttpStatusCode.NotFound, "nothing here")]
    [InlineData("/error", HttpStatusCode.NotFound, "nothing here")]
    [InlineData("/login?handle=unknown", HttpStatusCode.BadRequest, "waited too long")]
    [InlineData("/consent", HttpStatusCode.BadRequest, "waited too long")]
    [InlineData("/select-account?handle=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", HttpStatusCode.BadRequest, "waited too long")]
    [InlineData("/logout?handle=unknown", HttpStatusCode.BadRequest, "waited too long")]
    [InlineData("/connect/authorize/resume?handle=unknown", HttpStatusCode.BadRequest, "waited too long")]
    [InlineData("/connect/authorize?client_id=%3Cscript%3E", HttpStatusCode.BadRequest, "not known here")]
    [InlineData("/setup?code=unknown", HttpStatusCode.BadRequest, "set-up link does not work")]
    public async Task Each_trouble_has_words_of_its_own(string path, HttpStatusCode status, string words)
    {
        var page = await OpenAsync(path);

        Assert.Equal(status, page.Status);
        Assert.Contains(words, page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("<script>", page.Text, StringComparison.OrdinalIgnoreCase);
        Assert.NotEmpty(page.Document.QuerySelector(".key-text")!.TextContent);
        AssertHeaders(page);
    }

    [Fact]
    public async Task A_program_gets_the_bare_status()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(site.Server.Address, "/nothing-here"));
        request.Headers.Add("Accept", "application/json");
        using var answer = await site.Server.Http.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Ct));
    }

    [Fact]
    public async Task Files_are_kept_for_good_by_their_version_and_pages_never()
    {
        var page = await OpenAsync("/login");
        Assert.Contains("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
        var address = page.Document.QuerySelector("link[rel=stylesheet]")!.GetAttribute("href")!;

        var file = await OpenAsync(address);
        Assert.Equal("public, max-age=31536000, immutable", file.Header("Cache-Control"));
        Assert.Equal("text/css", file.MediaType);
        var older = await OpenAsync("/assets/000000000000/identity.css");
        Assert.Equal("no-cache", older.Header("Cache-Control"));
        Assert.Equal(file.Text, older.Text);
        Assert.InRange(file.Body.Length, 1, 14 * 1024);
    }

    private static void AssertHeaders(Page page)
    {
        Assert.Contains("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", page.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
        Assert.Null(page.Header("X-Powered-By"));
    }

    private Task<Page> OpenAsync(string path) =>
        new Browser(site.Server.Http).OpenAsync(new Uri(site.Server.Address, path), Ct);
}
