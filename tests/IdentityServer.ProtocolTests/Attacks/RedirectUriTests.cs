using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>RFC 9700 §4.1: an answer goes to a registered address, character by character, or nowhere.</summary>
public sealed class RedirectUriTests(AppServer apps) : AppServerTest(apps)
{
    /// <summary>Ways to write an address that is not quite <c>https://rp.example/callback</c>.</summary>
    public static TheoryData<string> Variants =>
    [
        "",
        "https://evil.example/callback",
        "https://rp.example",
        "https://rp.example/",
        "https://rp.example/callback/",
        "https://rp.example/callback?",
        "https://rp.example/callback?x=1",
        "https://rp.example/callback#",
        "https://rp.example/callback#fragment",
        "https://rp.example/Callback",
        "https://RP.example/callback",
        "HTTPS://rp.example/callback",
        "http://rp.example/callback",
        "https://rp.example:443/callback",
        "https://rp.example:8443/callback",
        "https://rp.example//callback",
        "https://rp.example/./callback",
        "https://rp.example/x/../callback",
        "https://rp.example/callback/../evil",
        "https://rp.example/callback/..;/evil",
        "https://rp.example/%63allback",
        "https://rp.example/callback%2f..%2fevil",
        "https://rp.example/callback%00",
        "https://rp.example/callback%20",
        "https://rp.example/callback ",
        " https://rp.example/callback",
        "https://rp.example/callback\t",
        "https://rp.example/callback\r\nLocation: https://evil.example",
        "https://rp.example\\callback",
        "https://rp.example/callback\\@evil.example",
        "https://rp.example@evil.example/callback",
        "https://rp.example:x@evil.example/callback",
        "https://evil.example/https://rp.example/callback",
        "https://evil.example?https://rp.example/callback",
        "https://rp.example.evil.example/callback",
        "https://evil-rp.example/callback",
        "https://rp.example./callback",
        "https://rp.examp\u0406e/callback",
        "https://rp\u3002example/callback",
        "//rp.example/callback",
        "///rp.example/callback",
        "/callback",
        "callback",
        "javascript:alert(1)//https://rp.example/callback",
        "data:text/html,<script>alert(1)</script>",
        "urn:ietf:wg:oauth:2.0:oob",
        "com.evil.app:/callback",
        "http://127.0.0.1:8080/callback",
        "http://localhost/callback",
        "https://*.example/callback",
        "https://other.example/callback",
    ];

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task An_address_that_is_not_exactly_registered_gets_our_error_page(string variant)
    {
        var browser = NewBrowser();

        var byGet = await App.AuthorizeAsync(browser, App.Attempt().With("redirect_uri", variant), Alice, Ct);
        var byPost = await App.AuthorizeByPostAsync(browser, App.Attempt().With("redirect_uri", variant), Alice, Ct);

        AssertStaysOnErrorPage(byGet.Last);
        AssertStaysOnErrorPage(byPost.Last);
    }

    [Fact]
    public async Task No_address_at_all_gets_our_error_page()
    {
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt().With("redirect_uri", null), Alice, Ct);

        AssertStaysOnErrorPage(walk.Last);
    }

    [Theory]
    [InlineData("prompt", "none")]
    [InlineData("scope", "no-such-scope")]
    [InlineData("response_type", "token")]
    [InlineData("code_challenge", null)]
    [InlineData("response_mode", "form_post")]
    public async Task An_error_is_not_sent_to_an_unregistered_address_either(string parameter, string? value)
    {
        var attempt = App.Attempt().With("redirect_uri", "https://evil.example/callback").With(parameter, value);

        var walk = await App.AuthorizeAsync(NewBrowser(), attempt, Alice, Ct);

        AssertStaysOnErrorPage(walk.Last);
    }

    [Theory]
    [InlineData("no-such-client")]
    [InlineData("APP")]
    [InlineData("")]
    [InlineData(null)]
    public async Task Nothing_is_sent_anywhere_for_a_client_that_is_not_registered(string? clientId)
    {
        var walk = await App.AuthorizeAsync(NewBrowser(), App.Attempt().With("client_id", clientId), Alice, Ct);

        AssertStaysOnErrorPage(walk.Last);
    }

    [Fact]
    public async Task A_doubled_redirect_uri_is_not_a_choice()
    {
        var attempt = App.Attempt().Plus("redirect_uri", "https://evil.example/callback");

        var walk = await App.AuthorizeAsync(NewBrowser(), attempt, Alice, Ct);

        AssertStaysOnErrorPage(walk.Last);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/callback")]
    [InlineData("http://127.0.0.1:51004/callback")]
    [InlineData("http://127.0.0.1/callback")]
    public async Task A_native_app_listens_on_any_loopback_port(string address)
    {
        var walk = await Native.AuthorizeAsync(
            NewBrowser(), Native.Attempt().With("redirect_uri", address), Alice, Ct);

        Assert.NotNull(walk.Code);
        Assert.Equal(200, (await Native.RedeemAsync(walk, Ct)).Status);
    }

    [Theory]
    [InlineData("http://localhost:51004/callback")]
    [InlineData("http://127.0.0.2:51004/callback")]
    [InlineData("http://127.1:51004/callback")]
    [InlineData("http://[::1]:51004/callback")]
    [InlineData("https://127.0.0.1:51004/callback")]
    [InlineData("http://127.0.0.1:51004/other")]
    [InlineData("http://127.0.0.1:51004/callback?x=1")]
    [InlineData("http://127.0.0.1:51004/callback#f")]
    [InlineData("http://127.0.0.1:/callback")]
    [InlineData("http://127.0.0.1:+80/callback")]
    [InlineData("http://127.0.0.1:8a/callback")]
    [InlineData("http://127.0.0.1:80@evil.example/callback")]
    [InlineData("http://127.0.0.1@evil.example/callback")]
    [InlineData("http://127.0.0.1.evil.example/callback")]
    [InlineData("http://127.0.0.1:80.evil.example/callback")]
    public async Task Only_the_port_of_a_native_app_may_vary(string address)
    {
        var walk = await Native.AuthorizeAsync(
            NewBrowser(), Native.Attempt().With("redirect_uri", address), Alice, Ct);

        AssertStaysOnErrorPage(walk.Last);
    }

    [Fact]
    public async Task A_registered_query_is_kept_and_added_to()
    {
        const string Registered = "https://tenant.example/callback?tenant=a%20b";
        var client = await Server.AddWebAppAsync("with-query", Ct, app => app with { RedirectUris = [Registered] });

        var page = await NewBrowser().OpenAsync(client.Attempt().With("prompt", "none").At(Provider.Authorization), Ct);

        Assert.StartsWith($"{Registered}&error=login_required", page.Location!.OriginalString, StringComparison.Ordinal);
    }
}
