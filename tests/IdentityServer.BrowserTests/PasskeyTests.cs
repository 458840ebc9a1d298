using IdentityServer.Protocol.Sessions;
using IdentityServer.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace IdentityServer.BrowserTests;

/// <summary>Passkeys in a real browser, whose authenticator is Chromium's virtual one.</summary>
[Collection(HostedSite.Shared)]
public sealed class PasskeyTests(HostedSite site)
{
    private const string Account = "/account/passkeys";

    private static int _people;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("en-GB", 1280, ColorScheme.Light)]
    [InlineData("en-GB", 360, ColorScheme.Dark)]
    [InlineData("zh-CN", 1280, ColorScheme.Dark)]
    [InlineData("zh-CN", 360, ColorScheme.Light)]
    public async Task With_the_keyboard_alone_a_passkey_is_added_and_signs_in(string locale, int width, ColorScheme scheme)
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync(locale, width, scheme);
        await CarryAuthenticatorAsync(visitor);
        await WithoutAutofillAsync(visitor);
        var (page, keyboard) = (visitor.Page, visitor.Page.Keyboard);
        await visitor.OpenAsync(Account);
        await visitor.SignInByKeyboardAsync(person);
        await visitor.ReachAsync("**" + Account);

        await visitor.TabToAsync("#passkey-name");
        await keyboard.PressAsync("Control+A");
        await keyboard.TypeAsync("My laptop");
        await keyboard.PressAsync("Tab");
        await keyboard.PressAsync("Enter");
        await Expect(page.Locator(".notice[role=status]").First).ToContainTextAsync("“My laptop”");
        await Expect(page.Locator(".list")).ToContainTextAsync("My laptop");

        await page.Context.ClearCookiesAsync();
        await visitor.ComeFromAppAsync("openid email", ("prompt", "consent"));
        await visitor.PressAsync("form[data-passkey] button");
        await visitor.ReachAsync("**/consent?*");
        await visitor.PressAsync("button[value=allow]");
        Assert.Contains("code=", (await visitor.WaitForAppAsync()).Query, StringComparison.Ordinal);
        Assert.All(visitor.Posts, post => Assert.Equal(303, post.Status));
        Assert.Empty(visitor.Complaints);
        Assert.Empty(visitor.Strangers);
    }

    [Fact]
    public async Task Where_the_user_name_is_typed_a_passkey_is_offered_and_is_enough()
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync();
        await CarryAuthenticatorAsync(visitor);
        await WithoutAutofillAsync(visitor);
        await AddPasskeyAsync(visitor, person);
        await visitor.Page.Context.ClearCookiesAsync();
        await visitor.Page.EvaluateAsync("localStorage.autofill = 'on'");

        // The virtual authenticator picks what a person would.
        await visitor.ComeFromAppAsync("openid email", ("prompt", "consent"));

        await visitor.ReachAsync("**/consent?*");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Where_no_user_name_is_typed_nobody_is_asked_before_they_press_the_button()
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync();
        await visitor.ComeFromAppAsync("openid email", ("acr_values", AcrValues.Mfa));
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/login/enrol?*");
        Assert.Equal(0, await AskedAsync());
        await CarryAuthenticatorAsync(visitor);
        await visitor.OpenAsync(Account);
        Assert.Equal(0, await AskedAsync());
        await visitor.Page.Locator("form[data-passkey] button").ClickAsync();
        await visitor.Page.Locator(".list > li").WaitForAsync();
        Assert.Equal(0, await AskedAsync());
        await visitor.Page.Locator("main a.button").ClickAsync();
        await visitor.ReachAsync("**/login/passkey?*");
        Assert.Equal(0, await AskedAsync());

        // Whoever asks by themselves has asked for this first.
        Task<int> AskedAsync() => visitor.Page.EvaluateAsync<int>(
            """
            async () => {
              await PublicKeyCredential.isConditionalMediationAvailable();
              await new Promise(done => setTimeout(done));
              return performance.getEntriesByType('resource').filter(entry => entry.name.includes('options')).length
                + document.querySelectorAll('form[data-autofill=yes]').length;
            }
            """);
    }

    [Fact]
    public async Task After_the_password_comes_the_passkey()
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync();
        await CarryAuthenticatorAsync(visitor);
        await WithoutAutofillAsync(visitor);
        await AddPasskeyAsync(visitor, person);
        await visitor.Page.Context.ClearCookiesAsync();

        await visitor.ComeFromAppAsync("openid email", ("prompt", "consent"));
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/login/passkey?*");
        await visitor.Page.Locator("form[data-passkey] button").ClickAsync();
        await visitor.ReachAsync("**/consent?*");
        Assert.Empty(visitor.Complaints);
    }

    [Fact]
    public async Task Before_a_passkey_is_removed_it_is_asked_for_again_in_the_middle_of_a_session()
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync();
        await CarryAuthenticatorAsync(visitor);
        await WithoutAutofillAsync(visitor);
        await AddPasskeyAsync(visitor, person);
        var page = visitor.Page;

        await page.Locator("main a.button").ClickAsync();
        await visitor.ReachAsync("**/login/passkey?*");
        await page.Locator("form[data-passkey] button").ClickAsync();
        await visitor.ReachAsync("**" + Account);
        await page.Locator("summary").ClickAsync();
        await page.Locator("button.danger").ClickAsync();
        await Expect(page.Locator(".notice[role=status]").First).ToContainTextAsync("The passkey was removed");
        Assert.Equal(0, await page.Locator(".list > li").CountAsync());
    }

    [Fact]
    public async Task Who_closes_the_request_is_told_what_to_do()
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync();
        var (cdp, authenticator) = await CarryAuthenticatorAsync(visitor);
        await WithoutAutofillAsync(visitor);
        await AddPasskeyAsync(visitor, person);
        await visitor.Page.Context.ClearCookiesAsync();
        await cdp.SendAsync("WebAuthn.setUserVerified", new() { ["authenticatorId"] = authenticator, ["isUserVerified"] = false });
        await visitor.OpenAsync("/login");
        var notice = visitor.Page.Locator("form[data-passkey] .notice");
        Assert.False(await notice.IsVisibleAsync());

        await visitor.Page.Locator("form[data-passkey] button").ClickAsync();

        await Expect(notice).ToBeVisibleAsync();
        await Expect(notice).ToBeFocusedAsync();
        Assert.EndsWith("/login", visitor.Page.Url, StringComparison.Ordinal);
        await cdp.SendAsync("WebAuthn.setUserVerified", new() { ["authenticatorId"] = authenticator, ["isUserVerified"] = true });
        await visitor.Page.Locator("form[data-passkey] button").ClickAsync();
        await visitor.ReachAsync(site.Issuer + "/");
    }

    [Fact]
    public async Task Without_script_or_passkeys_nothing_of_them_is_shown()
    {
        await using var plain = await site.OpenAsync(options => options.JavaScriptEnabled = false);
        await plain.OpenAsync("/login");
        Assert.False(await plain.Page.Locator("form[data-passkey]").IsVisibleAsync());
        Assert.False(await plain.Page.Locator(".or").IsVisibleAsync());

        await using var old = await site.OpenAsync();
        await old.Page.AddInitScriptAsync("delete window.PublicKeyCredential");
        await old.OpenAsync("/login");
        Assert.False(await old.Page.Locator("form[data-passkey]").IsVisibleAsync());
        Assert.Empty(old.Complaints);
    }

    [Theory]
    [InlineData("en-GB", "en")]
    [InlineData("zh-CN", "zh-Hans")]
    public async Task Every_page_of_passkeys_meets_WCAG_2_2_AA(string locale, string language)
    {
        var person = await AddPersonAsync();
        await using var visitor = await site.OpenAsync(options => options.Locale = locale);
        await CarryAuthenticatorAsync(visitor);
        await WithoutAutofillAsync(visitor);
        var page = visitor.Page;
        await visitor.OpenAsync(Account);
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**" + Account);
        await AccessibilityTests.CheckAsync(visitor, "no passkeys yet", language);
        await page.Locator("form[data-passkey] button").ClickAsync();
        await page.Locator(".list > li").WaitForAsync();
        await AccessibilityTests.CheckAsync(visitor, "a passkey, to be proven first", language);
        await page.Locator("main a.button").ClickAsync();
        await visitor.ReachAsync("**/login/passkey?*");
        await AccessibilityTests.CheckAsync(visitor, "second factor", language);
        await page.Locator("form[data-passkey] button").ClickAsync();
        await visitor.ReachAsync("**" + Account);
        await page.Locator("summary").ClickAsync();
        await AccessibilityTests.CheckAsync(visitor, "a passkey, to be changed", language);
        Assert.Empty(visitor.Complaints);
    }

    private Task<Person> AddPersonAsync() => site.Server.AddPersonAsync($"passkey{Interlocked.Increment(ref _people)}", Ct);

    /// <summary>Gives the browser an authenticator that agrees to everything at once.</summary>
    internal static async Task<(ICDPSession Session, string Id)> CarryAuthenticatorAsync(Visitor visitor)
    {
        var session = await visitor.Page.Context.NewCDPSessionAsync(visitor.Page);
        await session.SendAsync("WebAuthn.enable");
        var added = await session.SendAsync("WebAuthn.addVirtualAuthenticator", new()
        {
            ["options"] = new Dictionary<string, object>(StringComparer.Ordinal)
            {
                ["protocol"] = "ctap2",
                ["ctap2Version"] = "ctap2_1",
                ["transport"] = "internal",
                ["hasResidentKey"] = true,
                ["hasUserVerification"] = true,
                ["isUserVerified"] = true,
                ["automaticPresenceSimulation"] = true,
            },
        });
        return (session, added!.Value.GetProperty("authenticatorId").GetString()!);
    }

    // It would sign in before anybody could press a button.
    internal static Task WithoutAutofillAsync(Visitor visitor) => visitor.Page.AddInitScriptAsync(
        "if (!localStorage.autofill) PublicKeyCredential.isConditionalMediationAvailable = async () => false");

    private static async Task AddPasskeyAsync(Visitor visitor, Person person)
    {
        await visitor.OpenAsync(Account);
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**" + Account);

        await visitor.Page.Locator("form[data-passkey] button").ClickAsync();
        await visitor.Page.Locator(".list > li").WaitForAsync();
    }
}
