using System.Security.Cryptography;
using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Logout;

/// <summary>What an app may send to the end session endpoint, and what nobody may (OpenID Connect RP-Initiated Logout 1.0 §2).</summary>
public sealed class EndSessionTests(AppServer apps) : AppServerTest(apps)
{
    public static TheoryData<string> Unregistered =>
    [
        "https://rp.example/callback/",
        "https://rp.example/callback?x=1",
        "https://rp.example/CALLBACK",
        "https://rp.example",
        "https://other.example/callback",
        "https://evil.example/callback",
        "https://rp.example@evil.example/callback",
        "//evil.example",
        "/callback",
        "javascript:alert(1)",
    ];

    [Theory]
    [MemberData(nameof(Unregistered))]
    public async Task An_address_that_is_not_registered_gets_nobody_and_ends_nothing(string uri)
    {
        var (browser, token) = await SignInAsync();

        AssertStaysOnErrorPage(await browser.OpenAsync(
            App.EndSessionAddress(("id_token_hint", token.Text), ("post_logout_redirect_uri", uri)), Ct));
        AssertStaysOnErrorPage(await browser.OpenAsync(
            App.EndSessionAddress(("client_id", App.ClientId), ("post_logout_redirect_uri", uri)), Ct));
        await AssertSignedInAsync(browser);

        // Nobody says whose it is: asked, and kept here.
        var question = await browser.OpenAsync(App.EndSessionAddress(("post_logout_redirect_uri", uri)), Ct);
        Assert.Equal("/logout", question.Address.AbsolutePath);
        var page = await ConfirmAsync(browser, question);
        Assert.Equal("/signed-out", page.Address.AbsolutePath);
    }

    [Fact]
    public async Task A_token_of_ours_that_is_no_ID_token_is_no_hint()
    {
        var (browser, token) = await SignInAsync();
        var access = (await App.SignInAsync(Alice, "openid", Ct)).AccessToken!;

        AssertStaysOnErrorPage(await browser.OpenAsync(App.EndSessionAddress(("id_token_hint", access)), Ct));
        await AssertSignedInAsync(browser);
        Assert.Equal("at+jwt", Jwt.Parse(access).Type);
        Assert.NotEqual("at+jwt", token.Type);
    }

    [Theory]
    [InlineData("foreign")]
    [InlineData("none")]
    [InlineData("issuer")]
    public async Task A_hint_of_somebody_else_s_making_is_refused(string how)
    {
        var (browser, token) = await SignInAsync();
        using var rsa = RSA.Create(2048);
        var (header, claims) = (token.Header.DeepClone().AsObject(), token.Claims.DeepClone().AsObject());
        if (how == "issuer")
        {
            claims["iss"] = "https://other.example";
        }

        if (how == "none")
        {
            header["alg"] = "none";
        }

        var hint = how == "none"
            ? Jwt.Forge(header, claims, [])
            : Jwt.Sign(header, claims, signed => rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

        AssertStaysOnErrorPage(await browser.OpenAsync(
            App.EndSessionAddress(("id_token_hint", hint), ("post_logout_redirect_uri", App.PostLogoutRedirectUri)), Ct));
        await AssertSignedInAsync(browser);
    }

    [Fact]
    public async Task A_hint_of_another_app_is_refused_where_the_app_names_itself()
    {
        var (browser, token) = await SignInAsync();

        AssertStaysOnErrorPage(await browser.OpenAsync(
            OtherApp.EndSessionAddress(
                ("id_token_hint", token.Text), ("client_id", OtherApp.ClientId), ("post_logout_redirect_uri", OtherApp.PostLogoutRedirectUri)),
            Ct));
        await AssertSignedInAsync(browser);
    }

    [Fact]
    public async Task A_logout_hint_is_taken_and_decides_nothing()
    {
        var (browser, _) = await SignInAsync();
        foreach (var hint in new[] { "alice", "mallory", "alice@example.com", "\u0001", new string('x', 2000) })
        {
            var question = await browser.OpenAsync(App.EndSessionAddress(("client_id", App.ClientId), ("logout_hint", hint)), Ct);

            Assert.Equal("/logout", question.Address.AbsolutePath);
            Assert.DoesNotContain("mallory", question.Text, StringComparison.OrdinalIgnoreCase);
        }

        await AssertSignedInAsync(browser);
    }

    [Theory]
    [InlineData("zh-Hans", "zh-Hans")]
    [InlineData("fr zh-Hans", "zh-Hans")]
    [InlineData("en", "en")]
    public async Task The_pages_speak_the_language_that_the_app_asks_for(string locales, string language)
    {
        var (browser, _) = await SignInAsync();

        var question = await browser.OpenAsync(App.EndSessionAddress(("client_id", App.ClientId), ("ui_locales", locales)), Ct);
        Assert.Equal(language, question.Document.DocumentElement.GetAttribute("lang"));
        var page = await ConfirmAsync(browser, question);
        Assert.Equal(language, page.Document.DocumentElement.GetAttribute("lang"));
    }

    [Fact]
    public async Task A_form_of_the_app_works_as_its_link_does_and_state_comes_back_as_it_was()
    {
        const string State = "a b&c=d/ü?";
        var (browser, token) = await SignInAsync();

        var page = await browser.PostFromElsewhereAsync(
            Provider.EndSession,
            [
                new("id_token_hint", token.Text), new("client_id", App.ClientId),
                new("post_logout_redirect_uri", App.PostLogoutRedirectUri), new("state", State),
            ],
            Ct);

        Assert.Equal($"{App.PostLogoutRedirectUri}?state={Uri.EscapeDataString(State)}", page.Location?.OriginalString);
        var silent = await App.AuthorizeAsync(browser, App.Attempt().With("prompt", "none"), null, Ct);
        Assert.Equal("login_required", silent.Answered.Error);
    }

    [Fact]
    public async Task Whoever_is_not_signed_in_is_sent_back_at_once()
    {
        var page = await NewBrowser().OpenAsync(
            App.EndSessionAddress(("client_id", App.ClientId), ("post_logout_redirect_uri", App.PostLogoutRedirectUri), ("state", "s")), Ct);

        Assert.Equal(App.PostLogoutRedirectUri + "?state=s", page.Location?.OriginalString);
    }

    [Fact]
    public async Task Discovery_says_what_is_supported()
    {
        var metadata = JsonNode.Parse((await Server.FetchAsync("/.well-known/openid-configuration", Ct)).Text)!;

        Assert.All(
            [
                "backchannel_logout_supported", "backchannel_logout_session_supported", "frontchannel_logout_supported",
                "frontchannel_logout_session_supported",
            ],
            name => Assert.True((bool)metadata[name]!));
    }

    private async Task<(Browser Browser, Jwt IdToken)> SignInAsync()
    {
        var browser = NewBrowser();
        var tokens = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct), Ct);
        return (browser, tokens.IdToken!);
    }

    private async Task AssertSignedInAsync(Browser browser)
    {
        var walk = await App.AuthorizeAsync(browser, App.Attempt().With("prompt", "none"), null, Ct);
        Assert.NotNull(walk.Code);
    }

    private static async Task<Page> ConfirmAsync(Browser browser, Page question)
    {
        var form = question.Forms.First(form => Browser.Buttons(form).Any(button => button.GetAttribute("name") == "answer"));
        return await browser.SubmitAsync(question, form, new Dictionary<string, string?>(), Browser.Buttons(form).First(), Ct);
    }
}
