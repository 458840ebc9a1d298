using System.Net;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Attacks;

/// <summary>What every answer carries against mix-up, framing, caching and leaking (RFC 9207, RFC 9700 §4.2, §4.4, §4.16).</summary>
public sealed class ResponseTests(AppServer apps) : AppServerTest(apps)
{
    [Theory]
    [InlineData("query")]
    [InlineData("fragment")]
    [InlineData("form_post")]
    public async Task Every_answer_names_its_issuer(string mode)
    {
        var browser = NewBrowser();
        var success = await App.AuthorizeAsync(browser, App.Attempt().With("response_mode", mode), Alice, Ct);
        var failure = await App.AuthorizeAsync(
            browser, App.Attempt("no-such-scope").With("response_mode", mode), Alice, Ct);

        Assert.Equal(Provider.Issuer, success.Answered.Parameters["iss"]);
        Assert.Equal(Provider.Issuer, failure.Answered.Parameters["iss"]);
        Assert.Equal("invalid_scope", failure.Answered.Error);
    }

    [Theory]
    [InlineData("a&b=c#d?e%20\"'<script>")]
    [InlineData("\u4f60\u597d \u00e4\u00f6\u00fc \ud83d\ude00")]
    public async Task State_comes_back_exactly(string state)
    {
        foreach (var mode in new[] { "query", "fragment", "form_post" })
        {
            var attempt = App.Attempt().With("state", state).With("response_mode", mode);

            var walk = await App.AuthorizeAsync(NewBrowser(), attempt, Alice, Ct);

            Assert.Equal(state, walk.Answered.Parameters["state"]);
        }
    }

    [Fact]
    public async Task Pages_cannot_be_framed_cached_or_leaked()
    {
        var browser = NewBrowser();
        var signIn = await App.AuthorizeAsync(browser, App.Attempt(), null, Ct);
        var error = await App.AuthorizeAsync(browser, App.Attempt().With("client_id", "nobody"), null, Ct);
        var formPost = await App.AuthorizeAsync(browser, App.Attempt().With("response_mode", "form_post"), Alice, Ct);
        var signOut = await browser.OpenAsync(App.EndSessionAddress(), Ct);

        Assert.NotNull(signIn.Last.SignInForm);
        Assert.NotNull(formPost.Last.FormPost);
        Assert.NotEmpty(signOut.Forms);
        foreach (var page in new[] { signIn.Last, error.Last, formPost.Last, signOut })
        {
            var policy = page.Header("Content-Security-Policy")!;
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe-", policy, StringComparison.Ordinal);
            Assert.Equal("DENY", page.Header("X-Frame-Options"));
            Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
            Assert.Equal("no-referrer", page.Header("Referrer-Policy"));
            Assert.True(page.Header("Cache-Control")?.Contains("no-store", StringComparison.Ordinal), page.ToString());
            Assert.Null(page.Header("Server"));
            Assert.Null(page.Header("X-Powered-By"));
            Assert.Empty(page.Document.QuerySelectorAll("script:not([src]), [style], [onclick], [onload]"));
            Assert.All(page.Document.QuerySelectorAll("script[src], link[href], img[src]"), element =>
                Assert.StartsWith(
                    "/", element.GetAttribute("src") ?? element.GetAttribute("href"), StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_session_cookie_is_out_of_reach_for_scripts_and_other_sites()
    {
        var browser = NewBrowser();
        await App.AuthorizeAsync(browser, App.Attempt(), Alice, Ct);

        Assert.NotEmpty(browser.Cookies.All);
        Assert.All(browser.Cookies.All, cookie =>
        {
            Assert.True(cookie.Has("HttpOnly"), cookie.Name);
            Assert.Contains(cookie.SameSite, new[] { "lax", "strict" }, StringComparer.OrdinalIgnoreCase);
        });
    }

    [Fact]
    public async Task Signing_in_gives_a_new_session_even_to_who_brings_one()
    {
        // Session fixation: the cookie planted before the sign-in is worth nothing after it.
        var victim = NewBrowser();
        await App.AuthorizeAsync(victim, App.Attempt(), Mallory, Ct);
        var planted = victim.Cookies.All.ToArray();
        Server.Clock.Advance(TimeSpan.FromSeconds(1));

        var walk = await App.AuthorizeAsync(victim, App.Attempt().With("prompt", "login"), Alice, Ct);
        var attacker = NewBrowser();
        foreach (var cookie in planted)
        {
            attacker.Cookies.Add(cookie);
        }

        Assert.Equal(1, walk.SignIns);
        var silent = await App.AuthorizeAsync(attacker, App.Attempt().With("prompt", "none"), null, Ct);
        if (silent.Answered.Code is not null)
        {
            var tokens = await App.ExchangeAsync(silent, Ct);
            var alices = await App.ExchangeAsync(walk, Ct);
            Assert.NotEqual(alices.IdToken!["sub"], tokens.IdToken!["sub"]);
        }
    }

    [Fact]
    public async Task A_sign_in_form_from_elsewhere_is_refused()
    {
        // Login CSRF: the form of another site signs nobody in.
        var browser = NewBrowser();
        var walk = await App.AuthorizeAsync(browser, App.Attempt(), null, Ct);
        var fields = walk.Last.SignInForm!.Elements
            .OfType<AngleSharp.Html.Dom.IHtmlInputElement>()
            .Where(input => !string.IsNullOrEmpty(input.Name) && input.Type != "checkbox")
            .Select(input => KeyValuePair.Create(
                input.Name!,
                input.Type switch
                {
                    "password" => Mallory.Password,
                    "hidden" => input.Value,
                    _ => Mallory.UserName,
                }));

        var stranger = NewBrowser();
        var page = await stranger.PostFromElsewhereAsync(walk.Last.Address, [.. fields], Ct);

        Assert.NotEqual(HttpStatusCode.InternalServerError, page.Status);
        var silent = await App.AuthorizeAsync(stranger, App.Attempt().With("prompt", "none"), null, Ct);
        Assert.Equal("login_required", silent.Answered.Error);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_name_are_answered_alike()
    {
        var wrong = await TryAsync(new Person(Alice.UserName, "not the password at all"));
        var unknown = await TryAsync(new Person("nobody-of-that-name", "not the password at all"));

        Assert.Equal(wrong.Status, unknown.Status);
        Assert.Equal(Messages(wrong), Messages(unknown));
        Assert.NotEmpty(Messages(wrong));
    }

    private async Task<Page> TryAsync(Person person)
    {
        var browser = NewBrowser();
        var walk = await App.AuthorizeAsync(browser, App.Attempt(), null, Ct);
        return await browser.SignInAsync(walk.Last, person, Ct);
    }

    private static string[] Messages(Page page) =>
    [
        .. page.Document.QuerySelectorAll("[role=alert], [aria-live]")
            .Select(element => element.TextContent.Trim())
            .Where(text => text.Length > 0),
    ];
}
