using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Samples;

/// <summary>The sample web app and a provider that bends one thing at a time: nothing bent signs a person in.</summary>
public sealed class WebAppRefusalTests(WebAppRefusalTests.Pair pair) : IClassFixture<WebAppRefusalTests.Pair>
{
    private static readonly Dictionary<string, Action<ProviderAnswer>> Bends = new(StringComparer.Ordinal)
    {
        ["another nonce"] = answer => answer.Claims["nonce"] = "of another sign-in",
        ["no nonce"] = answer => answer.Claims.Remove("nonce"),
        ["another issuer"] = answer => answer.Claims["iss"] = "https://elsewhere.example",
        ["another audience"] = answer => answer.Claims["aud"] = "another-app",
        ["a second audience"] = answer => answer.Claims["aud"] = new JsonArray(CrookedProvider.ClientId, "another-app"),
        ["expired"] = answer => answer.Claims["exp"] = (long)answer.Claims["iat"]! - 60,
        ["no expiry"] = answer => answer.Claims.Remove("exp"),
        ["at_hash of another access token"] = answer => answer.Claims["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA",
        ["no at_hash"] = answer => answer.Claims.Remove("at_hash"),
        ["an access token instead"] = answer => answer.Header["typ"] = "at+jwt",
        ["no signature"] = answer =>
        {
            answer.Header["alg"] = "none";
            answer.Sign = _ => [];
        },
        ["signed with the app's secret"] = answer =>
        {
            answer.Header["alg"] = "HS256";
            answer.Sign = data => HMACSHA256.HashData(Encoding.UTF8.GetBytes(CrookedProvider.ClientSecret), data);
        },
        ["signed by another key"] = answer => answer.Sign = SignWithAnotherKey,
        ["signed by a key that is not published"] = answer =>
        {
            answer.Header["kid"] = "unknown";
            answer.Sign = SignWithAnotherKey;
        },
        ["no ID token"] = answer => answer.HasIdToken = false,
        ["the answer of another server"] = answer => answer.IssuerParameter = "https://elsewhere.example",
        ["the answer of nobody"] = answer => answer.IssuerParameter = null,
        ["UserInfo of somebody else"] = answer => answer.UserInfoSubject = "somebody-else",
    };

    public static TheoryData<string> Names => [.. Bends.Keys];

    [Fact]
    public async Task A_correct_answer_signs_in()
    {
        var (browser, page) = await SignInAsync(_ => { });

        Assert.Equal(HttpStatusCode.OK, page.Status);
        Assert.Equal("/", page.Address.AbsolutePath);
        Assert.Contains("Hello Some Body", page.Text, StringComparison.Ordinal);
        Assert.Contains(browser.Cookies.All, cookie => cookie.Name == "webapp-session");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_bent_answer_does_not(string bend)
    {
        var (browser, page) = await SignInAsync(Bends[bend]);

        Assert.Equal("/failed", page.Address.AbsolutePath);
        Assert.DoesNotContain(browser.Cookies.All, cookie => cookie.Name == "webapp-session");
    }

    [Fact]
    public async Task An_answer_to_another_browser_does_not()
    {
        pair.Provider.Bend = _ => { };
        var ct = TestContext.Current.CancellationToken;
        var asked = new Browser(pair.Http);
        var answer = await asked.OpenAsync((await ChallengeAsync(asked)).Location!, ct);

        var other = new Browser(pair.Http);
        var page = await other.OpenAsync(answer.Location!, ct);

        Assert.Equal("/failed", page.Address.AbsolutePath);
    }

    [Fact]
    public async Task A_token_about_to_end_is_refreshed_with_the_newest_refresh_token()
    {
        var (browser, _) = await SignInAsync(answer => answer.Seconds = 30);

        var first = await HomeAsync(browser);
        var second = await HomeAsync(browser);

        // Signing in led to the home page, which is a request too.
        Assert.Contains("refreshed 2 times", first.Text, StringComparison.Ordinal);
        Assert.Contains("refreshed 3 times", second.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_that_the_server_ended_ends_here()
    {
        var (browser, _) = await SignInAsync(answer => answer.Seconds = 30);
        pair.Provider.Bend = answer => answer.IsOver = true;

        var page = await HomeAsync(browser);

        Assert.Contains("You are not signed in", page.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(browser.Cookies.All, cookie => cookie.Name == "webapp-session");
    }

    [Fact]
    public async Task A_refresh_that_speaks_of_somebody_else_ends_the_session()
    {
        var (browser, _) = await SignInAsync(answer => answer.Seconds = 30);
        pair.Provider.Bend = answer => answer.Claims["sub"] = "somebody-else";

        var page = await HomeAsync(browser);

        Assert.Contains("You are not signed in", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_session_cookie_carries_no_token()
    {
        var (browser, _) = await SignInAsync(_ => { });

        var cookie = browser.Cookies.All.Single(cookie => cookie.Name == "webapp-session");
        Assert.True(cookie.Has("HttpOnly"));
        Assert.InRange(cookie.Value.Length, 1, 500);
    }

    private async Task<(Browser Browser, Page Page)> SignInAsync(Action<ProviderAnswer> bend)
    {
        pair.Provider.Bend = bend;
        var browser = new Browser(pair.Http);
        var page = await ChallengeAsync(browser);
        while (page.IsRedirect)
        {
            page = await browser.OpenAsync(page.Location!, TestContext.Current.CancellationToken);
        }

        return (browser, page);
    }

    private Task<Page> HomeAsync(Browser browser) => browser.OpenAsync(pair.App.Address, TestContext.Current.CancellationToken);

    private static byte[] SignWithAnotherKey(byte[] data)
    {
        using var other = RSA.Create(2048);
        return other.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private async Task<Page> ChallengeAsync(Browser browser)
    {
        var ct = TestContext.Current.CancellationToken;
        var home = await browser.OpenAsync(pair.App.Address, ct);
        return await browser.SubmitAsync(home, home.Forms.Single(), new Dictionary<string, string?>(StringComparer.Ordinal), null, ct);
    }

    /// <summary>A web app and the provider it trusts.</summary>
    public sealed class Pair : IAsyncLifetime
    {
        internal CrookedProvider Provider { get; private set; } = null!;

        internal SampleProgram App { get; private set; } = null!;

        internal HttpClient Http { get; } = Browser.CreateClient();

        public async ValueTask InitializeAsync()
        {
            var ct = TestContext.Current.CancellationToken;
            Provider = await CrookedProvider.StartAsync(SampleProgram.NewAddress(), ct);
            App = await SampleProgram.StartAsync("WebApp", SampleProgram.NewAddress(), new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Authority"] = Provider.Issuer,
                ["ClientId"] = CrookedProvider.ClientId,
                ["ClientSecret"] = CrookedProvider.ClientSecret,
            }, ct);
        }

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            await Provider.DisposeAsync();
            Http.Dispose();
        }
    }
}
