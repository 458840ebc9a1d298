using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>RFC 9700 §4.11: nothing on the way through our pages sends a browser where nobody registered.</summary>
public sealed class OpenRedirectorTests(AppServer apps) : AppServerTest(apps)
{
    public static TheoryData<string> Elsewhere =>
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "https:evil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
    ];

    [Theory]
    [MemberData(nameof(Elsewhere))]
    public async Task The_sign_in_page_takes_no_address_to_return_to(string address)
    {
        var browser = NewBrowser();
        var walk = await App.AuthorizeAsync(browser, App.Attempt(), null, Ct);
        foreach (var name in new[] { "returnUrl", "ReturnUrl", "return_url", "redirect", "next", "continue", "url" })
        {
            var separator = walk.Last.Address.Query.Length > 0 ? '&' : '?';
            var tampered = new Uri($"{walk.Last.Address}{separator}{name}={Uri.EscapeDataString(address)}");

            var page = await browser.OpenAsync(tampered, Ct);
            var after = page.SignInForm is null ? page : await NewBrowserSignInAsync(tampered);

            AssertNotElsewhere(page);
            AssertNotElsewhere(after);
        }
    }

    [Theory]
    [MemberData(nameof(Elsewhere))]
    public async Task Signing_out_returns_to_registered_addresses_only(string address)
    {
        var browser = NewBrowser();
        var tokens = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct), Ct);

        var hinted = await browser.OpenAsync(
            App.EndSessionAddress(
                ("id_token_hint", tokens.IdToken!.Text),
                ("post_logout_redirect_uri", address)), Ct);
        var named = await browser.OpenAsync(
            App.EndSessionAddress(("client_id", App.ClientId), ("post_logout_redirect_uri", address)), Ct);

        AssertNotElsewhere(hinted);
        AssertNotElsewhere(named);
    }

    [Fact]
    public async Task Another_clients_address_is_not_returned_to()
    {
        var browser = NewBrowser();
        var tokens = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct), Ct);

        var page = await browser.OpenAsync(
            App.EndSessionAddress(
                ("id_token_hint", tokens.IdToken!.Text),
                ("post_logout_redirect_uri", OtherApp.PostLogoutRedirectUri)), Ct);

        Assert.False(page.Leaves, $"Redirected to {page.Location}.");
    }

    private async Task<Page> NewBrowserSignInAsync(Uri page)
    {
        var browser = NewBrowser();
        return await browser.SignInAsync(await browser.OpenAsync(page, Ct), Alice, Ct);
    }

    private static void AssertNotElsewhere(Page page)
    {
        Assert.NotEqual(500, (int)page.Status);
        if (page.Leaves)
        {
            Assert.StartsWith("https://rp.example/callback?", page.Location!.OriginalString, StringComparison.Ordinal);
        }
    }
}
