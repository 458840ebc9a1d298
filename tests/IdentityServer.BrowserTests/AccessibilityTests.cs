using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Throttling;
using IdentityServer.Testing;
using IdentityServer.Throttling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using ICredentials = IdentityServer.Storage.Users.ICredentials;
using static Microsoft.Playwright.Assertions;

namespace IdentityServer.BrowserTests;

/// <summary>Every page, as people with different eyes, screens and languages meet it.</summary>
[Collection(HostedSite.Shared)]
public sealed class AccessibilityTests(HostedSite site)
{
    [Theory]
    [InlineData("en-GB", "en")]
    [InlineData("zh-CN", "zh-Hans")]
    public async Task Every_page_meets_WCAG_2_2_AA(string locale, string language)
    {
        await using var visitor = await site.OpenAsync(options => options.Locale = locale);

        await foreach (var name in WalkAsync(visitor))
        {
            await CheckAsync(visitor, name, language);
        }

        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData("en-GB", "en")]
    [InlineData("zh-CN", "zh-Hans")]
    public async Task Every_account_page_meets_WCAG_2_2_AA(string locale, string language)
    {
        await using var visitor = await site.OpenAsync(options => options.Locale = locale);

        await foreach (var name in WalkAccountAsync(visitor))
        {
            await CheckAsync(visitor, name, language);
        }

        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    [Theory]
    [InlineData("en-GB", "en")]
    [InlineData("zh-CN", "zh-Hans")]
    public async Task Every_page_of_a_second_factor_meets_WCAG_2_2_AA(string locale, string language)
    {
        await using var visitor = await site.OpenAsync(options => options.Locale = locale);
        await foreach (var name in WalkFactorsAsync(visitor))
        {
            await CheckAsync(visitor, name, language);
        }

        Assert.Empty(visitor.Strangers);
        Assert.Empty(visitor.Complaints);
    }

    /// <summary>Leads somebody with a long name through setting up a second factor on the way to the app, and through all that goes wrong then.</summary>
    private async IAsyncEnumerable<string> WalkFactorsAsync(Visitor visitor)
    {
        var ct = TestContext.Current.CancellationToken;
        var page = visitor.Page;
        var person = await site.AddLongNamedPersonAsync();

        // 1 setting up
        await visitor.ComeFromAppAsync("openid", ("acr_values", AcrValues.Mfa));
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/login/enrol?*");
        yield return "enrol";
        await visitor.SendAsync("#code", "");
        await page.Locator("#code-error").WaitForAsync();
        yield return "enrol, nothing typed";
        await visitor.SendAsync("#code", "000000");
        await Expect(page.Locator("#code")).ToBeFocusedAsync();
        yield return "enrol, refused";
        await page.Locator("form[data-passkey]").EvaluateAsync("form => form.submit()");
        await page.Locator(".notice.bad").WaitForAsync();
        yield return "enrol, passkey refused";
        var key = await page.Locator(".key-text").TextContentAsync();
        await visitor.SendAsync("#code", new AuthenticatorApp(key!, site.Server.Clock).Code);
        await page.Locator(".codes").WaitForAsync();
        yield return "recovery codes, shown once";
        var code = await page.Locator(".codes li").First.TextContentAsync();

        // 2 the code of the app, in a browser that is not known
        await page.Context.ClearCookiesAsync();
        await visitor.ComeFromAppAsync("openid");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/login/code?*");
        yield return "code";
        await visitor.SendAsync("#code", "");
        await page.Locator("#code-error").WaitForAsync();
        yield return "code, nothing typed";
        await visitor.SendAsync("#code", "000000");
        await Expect(page.Locator("#code")).ToBeFocusedAsync();
        yield return "code, refused";
        for (var attempt = 2; attempt < 6; attempt++)
        {
            await visitor.SendAsync("#code", "000000");
        }

        await Expect(page.Locator(".notice.warn[role=alert]")).ToBeFocusedAsync();
        yield return "code, to wait";
        await CloseAsync(person, "otp", ct);
        await visitor.SendAsync("#code", "000000");
        await page.Locator(".notice.warn[role=alert]").WaitForAsync();
        yield return "code, closed for good";

        // 3 a recovery code
        await page.Locator("a[href*='/login/recovery']").ClickAsync();
        await visitor.ReachAsync("**/login/recovery?*");
        yield return "recovery code";
        await visitor.SendAsync("#recovery", "");
        await page.Locator("#recovery-error").WaitForAsync();
        yield return "recovery code, nothing typed";
        await visitor.SendAsync("#recovery", "K7QM-2XRD-9FTW-H4");
        await Expect(page.Locator("#recovery")).ToBeFocusedAsync();
        yield return "recovery code, refused";
        await using (await site.CrowdAsync(ct))
        {
            await visitor.SendAsync("#recovery", code!);
            await Expect(page.Locator(".notice.warn[role=alert]")).ToBeFocusedAsync();
            yield return "recovery code, no room";
        }

        for (var attempt = 2; attempt < 6; attempt++)
        {
            await visitor.SendAsync("#recovery", "K7QM-2XRD-9FTW-H4");
        }

        await Expect(page.Locator(".notice.warn[role=alert]")).ToBeFocusedAsync();
        yield return "recovery code, to wait";
        site.Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await visitor.SendAsync("#recovery", code!);
        await visitor.ReachAsync("**/consent?*");
    }

    /// <summary>A hundred failures in a row: waiting does not help any more.</summary>
    private async Task CloseAsync(Person person, string factor, CancellationToken ct)
    {
        var who = await site.Server.Services.GetRequiredService<ICredentials>().FindAsync(person.UserName, ct);
        var attempts = site.Server.Services.GetRequiredService<IAttempts>();
        var key = $"{factor}:account:{who!.User.Id}";
        var now = site.Server.Clock.GetUtcNow();
        var seen = Assert.Single(await attempts.ListAsync([key], now, ct));
        var closed = seen with { Count = 100, BlockedUntil = ThrottleRule.Never, ExpiresAt = ThrottleRule.Never };
        Assert.True(await attempts.TryReplaceAsync(seen, closed, now, ct));
    }

    /// <summary>Leads somebody with a long name and much to see through the pages of their account, to its end.</summary>
    private async IAsyncEnumerable<string> WalkAccountAsync(Visitor visitor)
    {
        var page = visitor.Page;
        var person = await site.AddLongNamedPersonAsync();
        await using var elsewhere = await site.OpenAsync();
        await elsewhere.ComeFromAppAsync("openid profile orders.write offline_access");
        await elsewhere.SignInAsync(person);
        await elsewhere.Page.Locator("button[value=allow]").ClickAsync();
        await elsewhere.WaitForAppAsync();
        await visitor.OpenAsync("/account");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/account");
        yield return "account";
        await visitor.OpenAsync("/account/profile");
        yield return "profile";
        await page.Locator("#name").FillAsync("turned \u202e around");
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator("#name-error").WaitForAsync();
        yield return "profile, refused";
        await visitor.OpenAsync("/account/password");
        yield return "password";
        await page.Locator("#current-password").FillAsync("nobody has this password");
        await page.Locator("#new-password").FillAsync("password password");
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator("#new-password-error").WaitForAsync();
        yield return "password, refused";
        await visitor.OpenAsync("/account/passkeys");
        yield return "passkeys";
        await visitor.OpenAsync("/account/authenticator");
        yield return "authenticator";
        await page.Locator("#code").FillAsync("000000");
        await page.Locator("form:has(#code) button[type=submit]").ClickAsync();
        await page.Locator("#code-error").WaitForAsync();
        yield return "authenticator, refused";
        var key = await page.Locator(".key-text").TextContentAsync();
        await page.Locator("#code").FillAsync(new AuthenticatorApp(key!, site.Server.Clock).Code);
        await page.Locator("form:has(#code) button[type=submit]").ClickAsync();
        await page.Locator(".codes").WaitForAsync();
        yield return "authenticator, added";
        await visitor.OpenAsync("/account/authenticator");
        await page.Locator("summary").ClickAsync();
        yield return "authenticator, open";
        await visitor.OpenAsync("/account/recovery-codes");
        yield return "recovery codes";
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator(".codes").WaitForAsync();
        yield return "recovery codes, made";
        await visitor.OpenAsync("/account/delete");
        yield return "delete";
        await page.Locator("#username").FillAsync("somebody");
        await page.Locator("main button[type=submit]").ClickAsync();
        await page.Locator("#username-error").WaitForAsync();
        yield return "delete, refused";
        await page.Locator("#username").FillAsync(person.UserName);
        await page.Locator("main button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/account/deleted*");
        yield return "deleted";
    }

    /// <summary>Leads the visitor to each page in turn and names it.</summary>
    private async IAsyncEnumerable<string> WalkAsync(Visitor visitor)
    {
        var page = visitor.Page;
        await visitor.OpenAsync("/");
        yield return "home";
        await visitor.ComeFromAppAsync("openid profile email orders.read orders.write offline_access");
        yield return "sign in";
        await visitor.SignInAsync(new Person("alice", "nobody has this password"));
        yield return "sign in, refused";
        await page.Locator("form[data-passkey]").EvaluateAsync("form => form.submit()");
        await page.Locator(".notice.bad:not(:has(a))").WaitForAsync();
        yield return "sign in, passkey refused";
        await using (await site.CrowdAsync(TestContext.Current.CancellationToken))
        {
            await page.Locator("#username").FillAsync("alice");
            await visitor.SendAsync("#password", "nobody has this password");
            await Expect(page.Locator(".notice.warn[role=alert]")).ToBeFocusedAsync();
            yield return "sign in, no room";
        }

        var nobody = "n" + Guid.NewGuid().ToString("N");
        for (var attempt = 0; attempt < 6; attempt++)
        {
            await page.Locator("#username").FillAsync(nobody);
            await visitor.SendAsync("#password", "nobody has this password");
        }

        await Expect(page.Locator(".notice.warn[role=alert]")).ToBeFocusedAsync();
        yield return "sign in, to wait";
        await visitor.SignInAsync(site.Alice, keep: true);
        await visitor.ReachAsync("**/consent?*");
        yield return "consent";
        site.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await visitor.ComeFromAppAsync("openid", ("prompt", "select_account"));
        await visitor.ReachAsync("**/select-account?*");
        yield return "choose account";
        await visitor.OpenAsync("/");
        yield return "home, signed in";
        await visitor.ComeFromAppAsync("openid");
        await visitor.AllowAsync();
        await page.GotoAsync(site.App.EndSessionAddress(("client_id", site.App.ClientId)).AbsoluteUri);
        yield return "sign out, asked by an app";
        await page.Locator("#reach-app").CheckAsync();
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/signed-out*");
        yield return "signed out of one app";
        await visitor.OpenAsync("/logout");
        yield return "sign out";
        await page.Locator("form button[type=submit]").ClickAsync();
        await visitor.ReachAsync("**/signed-out*");
        yield return "signed out";
        await visitor.OpenAsync("/setup");
        yield return "set-up";
        await page.Locator("#setup-code").FillAsync("mistyped");
        await page.Locator("#username").FillAsync("admin");
        await page.Locator("#email").FillAsync("admin@example.com");
        await page.Locator("#new-password").FillAsync("nine lilac umbrellas wait");
        await page.Locator("button[type=submit]").ClickAsync();
        await page.Locator("#setup-code-error").WaitForAsync();
        yield return "set-up, refused";
        await visitor.OpenAsync("/nothing-here");
        yield return "not found";
        await visitor.OpenAsync("/login?handle=forgotten");
        yield return "expired";
        await visitor.ComeFromAppAsync("openid", ("redirect_uri", "https://elsewhere.example/"));
        await page.Locator("summary").ClickAsync();
        yield return "error";
    }

    /// <summary>Judges the page that the visitor is at, in every shape that its language is looked at in.</summary>
    internal static async Task CheckAsync(Visitor visitor, string name, string language)
    {
        var page = visitor.Page;
        var shapes = Shape.Of(language);
        Assert.Equal(language, await page.Locator("html").GetAttributeAsync("lang"));
        Assert.Equal(1, await page.Locator("h1").CountAsync());
        Assert.DoesNotMatch(@"\{\d", await page.TitleAsync() + await page.Locator("html").TextContentAsync());
        foreach (var shape in shapes)
        {
            await shape.ApplyAsync(page);
            await AssertFitsAsync(page, $"{name}, {shape}");
            var violations = await Axe.FindViolationsAsync(page, judgesContrast: shape.Forced == ForcedColors.None);
            Assert.True(violations.Count == 0, $"{name}, {shape}: {string.Join('\n', violations)}");
        }

        // Text twice as large (WCAG 1.4.4), on half a screen.
        await page.SetViewportSizeAsync(640, 800);
        await page.EvaluateAsync("document.documentElement.style.fontSize = '200%'");
        await AssertFitsAsync(page, name + ", in large letters");
        await page.EvaluateAsync("document.documentElement.style.fontSize = ''");
        await shapes[0].ApplyAsync(page);
    }

    /// <summary>Nobody has to scroll sideways (WCAG 1.4.10).</summary>
    private static async Task AssertFitsAsync(IPage page, string name)
    {
        var excess = await page.EvaluateAsync<int>("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        Assert.True(excess <= 0, $"{name} is {excess} px too wide.");
    }
}
