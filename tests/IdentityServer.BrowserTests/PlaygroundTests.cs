using System.Net;
using IdentityServer.FirstRun;
using IdentityServer.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace IdentityServer.BrowserTests;

/// <summary>A developer runs each flow in the playground, through the real pages, and sees what was said.</summary>
public sealed class PlaygroundTests(PlaygroundSite site) : IClassFixture<PlaygroundSite>
{
    private static readonly DemoPerson Alice = Demo.People[0];

    [Fact]
    public async Task The_code_flow_runs_from_the_metadata_to_the_sign_out()
    {
        await using var developer = await site.OpenAsync();

        await developer.SignInAsync(Alice.UserName, Alice.Password);
        await Expect(developer.Newest).ToContainTextAsync("state is what was sent");
        await Expect(developer.Newest).ToContainTextAsync("iss is the server that was asked");
        Assert.DoesNotContain("code=", developer.Page.Url, StringComparison.Ordinal);

        await developer.RedeemAsync();
        await Expect(developer.Newest.Locator(".proofs .status.ok")).ToHaveCountAsync(6);
        await Expect(developer.Newest.Locator(".proofs .status.bad")).ToHaveCountAsync(0);
        await Expect(developer.Page.Locator("#tokens > details[data-kind=access] .status.ok").First).ToHaveTextAsync("Verified");
        await Expect(developer.Page.Locator("#tokens > details[data-kind=id] .status.ok").First).ToHaveTextAsync("Verified");
        await Expect(developer.Page.Locator("#tokens > details[data-kind=access] .countdown")).ToContainTextAsync("min");
        await Expect(developer.Grant).ToContainTextAsync("grant.opened");
        await Expect(developer.Grant).ToContainTextAsync("grant.code_redeemed");

        await developer.GoToAsync("userinfo");
        await developer.PressAsync("Call UserInfo");
        await Expect(developer.Newest).ToContainTextAsync(Alice.Email);
        await Expect(developer.Newest).ToContainTextAsync("sub is the person of the ID token");

        await developer.GoToAsync("refresh");
        await developer.PressAsync("Refresh");
        await Expect(developer.Newest).ToContainTextAsync("ID token: made for this app alone");
        await Expect(developer.Grant).ToContainTextAsync("grant.refreshed");

        // A retry within the grace window is answered with the same successor.
        await developer.PressAsync("Send the spent one");
        await Expect(developer.Newest).ToContainTextAsync("The successor is the one in hand");

        await developer.GoToAsync("introspect");
        await developer.PressAsync("Introspect");
        await Expect(developer.Newest).ToContainTextAsync("The token is good at this moment");

        await developer.GoToAsync("revoke");
        await developer.Page.Locator("#revoke-refresh").CheckAsync();
        await developer.PressAsync("Revoke");
        await Expect(developer.Grant).ToContainTextAsync("the app gave it back");
        await Expect(developer.Page.Locator("#tokens > details[data-kind=access]")).ToContainTextAsync("ended with its grant");

        await developer.GoToAsync("introspect");
        await developer.PressAsync("Introspect");
        await Expect(developer.Newest).ToContainTextAsync("Not active");

        await developer.GoToAsync("signout");
        await developer.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out at the server" }).ClickAsync();
        await Expect(developer.Page).ToHaveURLAsync($"{site.Issuer}/playground#signout");
        await Expect(developer.Newest).ToContainTextAsync("Came back");

        Assert.Empty(developer.Strangers);
        Assert.Empty(developer.Complaints);
    }

    [Fact]
    public async Task A_code_used_twice_is_seen_to_end_the_grant()
    {
        await using var developer = await site.OpenAsync();
        await developer.SignInAsync(Alice.UserName, Alice.Password);
        await developer.PressAsync("Send a wrong verifier");
        await Expect(developer.Newest.Locator(".notice.bad h2")).ToHaveTextAsync("invalid_grant");
        await developer.RedeemAsync();

        await developer.PressAsync("Redeem it again");

        await Expect(developer.Newest.Locator(".notice.bad h2")).ToHaveTextAsync("invalid_grant");
        await Expect(developer.Grant).ToContainTextAsync("the code was used a second time");
        await Expect(developer.Page.Locator("#tokens > details[data-kind=refresh]")).ToContainTextAsync("ended with its grant");
    }

    [Fact]
    public async Task A_service_gets_a_token_and_with_a_wrong_secret_an_explanation()
    {
        await using var developer = await site.OpenAsync();
        await developer.GoToAsync("service");

        await developer.PressAsync("Fetch a token");
        await Expect(developer.Newest).ToContainTextAsync("Access token: signature verified");
        await developer.PressAsync("Send a wrong secret");
        await Expect(developer.Newest.Locator(".notice.bad")).ToContainTextAsync("Unknown client, wrong secret and missing secret get this same answer");
        await developer.PressAsync("Ask for openid");
        await Expect(developer.Newest.Locator(".notice.bad h2")).ToHaveTextAsync("invalid_scope");

        Assert.Empty(developer.Strangers);
        Assert.Empty(developer.Complaints);
    }

    [Fact]
    public async Task A_forged_token_and_no_token_are_refused_at_UserInfo()
    {
        await using var developer = await site.OpenAsync();
        await developer.SignInAsync(Alice.UserName, Alice.Password);
        await developer.RedeemAsync();
        await developer.GoToAsync("userinfo");

        await developer.PressAsync("Call with a forged token");
        await Expect(developer.Newest.Locator(".notice.bad h2")).ToHaveTextAsync("invalid_token");
        await developer.PressAsync("Call without a token");
        await Expect(developer.Newest).ToContainTextAsync("401");
        await Expect(developer.Newest).ToContainTextAsync("www-authenticate");
    }

    [Fact]
    public async Task An_error_that_comes_back_through_the_browser_is_explained()
    {
        await using var developer = await site.OpenAsync();
        await developer.GoToAsync("signin");
        await developer.Page.GetByText("More parameters").ClickAsync();
        await developer.Page.GetByLabel("prompt", new() { Exact = true }).SelectOptionAsync("none");
        await developer.Page.GetByRole(AriaRole.Button, new() { Name = "Go to the sign-in page" }).ClickAsync();

        await Expect(developer.Newest.Locator(".notice.bad h2")).ToHaveTextAsync("login_required");
        await Expect(developer.Newest.Locator(".notice.bad")).ToContainTextAsync("Ask again without prompt");
    }

    [Fact]
    public async Task Secrets_show_only_when_asked()
    {
        await using var developer = await site.OpenAsync();
        await developer.SignInAsync(Alice.UserName, Alice.Password);
        await developer.RedeemAsync();
        var secrets = new[] { await developer.HeldAsync("code"), await developer.HeldAsync("access"), await developer.HeldAsync("refresh") };

        var text = await developer.Page.Locator("body").TextContentAsync();
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));

        await developer.Newest.GetByRole(AriaRole.Button, new() { Name = "Show refresh_token" }).ClickAsync();
        await Expect(developer.Newest).ToContainTextAsync(secrets[2]);
        await developer.Newest.GetByRole(AriaRole.Button, new() { Name = "Hide refresh_token" }).ClickAsync();
        await Expect(developer.Newest).Not.ToContainTextAsync(secrets[2]);
    }

    [Fact]
    public async Task Every_step_is_accessible_and_fits()
    {
        await using var developer = await site.OpenAsync();
        await AssertFineAsync(developer, "empty");
        await developer.SignInAsync(Alice.UserName, Alice.Password);
        await developer.RedeemAsync();
        await developer.PressAsync("Redeem it again");
        foreach (var kind in new[] { "access", "id", "refresh", "code" })
        {
            await developer.Page.Locator($"#tokens > details[data-kind={kind}] > summary").ClickAsync();
        }

        foreach (var step in new[] { "metadata", "signin", "redeem", "userinfo", "refresh", "signout", "service", "introspect", "revoke" })
        {
            await developer.GoToAsync(step);
            await AssertFineAsync(developer, step);
        }
    }

    [Fact]
    public async Task The_page_lives_at_the_issuer_under_a_strict_policy()
    {
        var ct = TestContext.Current.CancellationToken;
        using var page = await site.Http.GetAsync(new Uri($"{site.Issuer}/playground"), ct);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);

        // By another name of this machine it would be another site.
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{site.Issuer}/playground?state=x"));
        request.Headers.Host = "elsewhere.example";
        using var elsewhere = await site.Http.SendAsync(request, ct);
        Assert.Equal(new Uri($"{site.Issuer}/playground?state=x"), elsewhere.Headers.Location);
    }

    [Fact]
    public async Task The_timeline_is_told_to_our_own_page_of_the_demos_grants_alone()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var developer = await site.OpenAsync();
        await developer.SignInAsync(Alice.UserName, Alice.Password);
        await developer.RedeemAsync();
        var timeline = new Uri($"{site.Issuer}/playground/grants/{await developer.GrantIdAsync()}");

        using var own = await site.Http.GetAsync(timeline, ct);
        using var unknown = await site.Http.GetAsync(new Uri($"{site.Issuer}/playground/grants/unknown"), ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, timeline);
        request.Headers.Add("Sec-Fetch-Site", "cross-site");
        using var foreign = await site.Http.SendAsync(request, ct);

        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.False(own.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, foreign.StatusCode);
    }

    [Fact]
    public async Task Production_has_none_of_it()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var folder = await ServerFolder.CreateAsync(ct);
        Assert.Equal(0, (await folder.RunAsync(["migrate", "up"], null, ct)).ExitCode);
        await using var server = await folder.StartAsync(ct);
        string[] paths =
        [
            "/playground", "/playground/", "/playground/callback", "/playground/settings", "/playground/grants/any",
            "/playground/playground.html", "/playground/playground.js", "/playground/playground.css",
            "/assets/000000000000/playground.js", "/assets/000000000000/playground/playground.js",
        ];

        foreach (var path in paths)
        {
            using var response = await site.Http.GetAsync(new Uri(folder.Address, path), ct);
            Assert.True(response.StatusCode == HttpStatusCode.NotFound, $"{path} answers {response.StatusCode}");
        }
    }

    private static async Task AssertFineAsync(Developer developer, string state)
    {
        foreach (var shape in (Shape[])
            [new(360, ColorScheme.Light), new(360, ColorScheme.Dark), new(1280, ColorScheme.Dark), new(1280, ColorScheme.Light)])
        {
            await shape.ApplyAsync(developer.Page);
            var violations = await Axe.FindViolationsAsync(developer.Page);
            Assert.True(violations.Count == 0, $"{state}, {shape}: {string.Join('\n', violations)}");
            var width = await developer.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth");
            Assert.True(width <= 0, $"{state}, {shape} is {width} px too wide");
        }
    }
}
