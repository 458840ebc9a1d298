using System.Collections.Frozen;
using IdentityServer.Admin;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace IdentityServer.BrowserTests;

/// <summary>
/// The pictures in <c>docs/images</c>, taken where IDENTITY_TEST_IMAGES names a folder. Otherwise only the ways to them are walked, once.
/// </summary>
[Collection(HostedSite.Shared)]
public sealed class Screenshots(HostedSite site)
{
    private static readonly string? _folder = Environment.GetEnvironmentVariable("IDENTITY_TEST_IMAGES") is { Length: > 0 } folder ? folder : null;

    [Fact]
    public async Task Every_page_can_be_pictured()
    {
        await PictureSignInAsync("sign-in", ColorScheme.Light, 1280, "en-GB");
        await PictureSignInAsync("sign-in-dark", ColorScheme.Dark, 1280, "en-GB");
        await PictureSignInAsync("sign-in-narrow", ColorScheme.Light, 390, "en-GB");
        await PictureSignInAsync("sign-in-forced", ColorScheme.Light, 640, "en-GB", ForcedColors.Active);
        await PictureSignInAsync("sign-in-zh", ColorScheme.Light, 1280, "zh-CN");

        await using var visitor = await site.OpenAsync(options => options.ViewportSize = new ViewportSize { Width = 1280, Height = 960 });
        await visitor.ComeFromAppAsync("openid profile email orders.read orders.write offline_access");
        await visitor.SignInAsync(new Person("alice", "wrong wrong wrong wrong"));
        await SaveAsync(visitor.Page, "sign-in-refused");
        await visitor.SignInAsync(site.Alice);
        await SaveAsync(visitor.Page, "consent");
        site.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        await visitor.ComeFromAppAsync("openid", ("prompt", "select_account"));
        await SaveAsync(visitor.Page, "choose-account");
        await visitor.OpenAsync("/logout");
        await SaveAsync(visitor.Page, "sign-out");
        await visitor.Page.Locator("button[type=submit]").ClickAsync();
        await SaveAsync(visitor.Page, "signed-out");
        await visitor.OpenAsync("/");
        await SaveAsync(visitor.Page, "home");
        foreach (var (name, scheme, width, locale) in new[]
        {
            ("", ColorScheme.Light, 1280, "en-GB"), ("-dark", ColorScheme.Dark, 1280, "en-GB"),
            ("-narrow", ColorScheme.Light, 360, "en-GB"), ("-zh", ColorScheme.Light, 1280, "zh-CN"),
        })
        {
            await PictureLeavingAsync(name, scheme, width, locale);
        }

        await visitor.ComeFromAppAsync("openid", ("redirect_uri", "https://elsewhere.example/"));
        await SaveAsync(visitor.Page, "error");
        await visitor.OpenAsync("/setup");
        await SaveAsync(visitor.Page, "setup");
    }

    /// <summary>An app asks for the sign-out, and is left alone.</summary>
    private async Task PictureLeavingAsync(string name, ColorScheme scheme, int width, string locale)
    {
        if (!IsWorthWhile(scheme, width, locale))
        {
            return;
        }

        await using var visitor = await site.OpenAsync(locale, width, scheme);
        await visitor.ComeFromAppAsync("openid");
        await visitor.SignInAsync(site.Bob);
        await visitor.AllowAsync();
        await visitor.Page.GotoAsync(site.App.EndSessionAddress(("client_id", site.App.ClientId)).AbsoluteUri);
        await SaveAsync(visitor.Page, "sign-out-of" + name);
        await visitor.Page.Locator("#reach-app").CheckAsync();
        await visitor.Page.Locator("form button[type=submit]").ClickAsync();
        await SaveAsync(visitor.Page, "signed-out-of" + name);
    }

    [Fact]
    public async Task The_account_can_be_pictured()
    {
        var ct = TestContext.Current.CancellationToken;
        var ida = await site.Server.GiveAppAsync(await site.Server.AddPersonAsync("ida", ct), ct);
        await using (var phone = await site.OpenAsync(options => options.UserAgent =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1"))
        {
            await phone.ComeFromAppAsync("openid profile email orders.read offline_access");
            await phone.SignInAsync(ida);
            await phone.Page.Locator("button[value=allow]").ClickAsync();
            await phone.WaitForAppAsync();
        }

        site.Server.Clock.Advance(TimeSpan.FromMinutes(40));
        await PictureAccountAsync(ida, "account", ColorScheme.Light, 1280, "en-GB");
        await PictureAccountAsync(ida, "account-dark", ColorScheme.Dark, 1280, "en-GB");
        await PictureAccountAsync(ida, "account-narrow", ColorScheme.Light, 390, "zh-CN");
    }

    [Fact]
    public async Task The_second_factor_can_be_pictured()
    {
        var ct = TestContext.Current.CancellationToken;
        await PictureFactorsAsync("", await site.Server.AddPersonAsync("iris", ct), ColorScheme.Light, 1280, "en-GB");
        await PictureFactorsAsync("-narrow", await site.AddLongNamedPersonAsync(), ColorScheme.Dark, 360, "zh-CN");
    }

    /// <summary>A week in the life of the keys: one rollover behind, one ahead, and a client that has not heard of it.</summary>
    [Fact]
    public async Task The_keys_can_be_pictured()
    {
        var ct = TestContext.Current.CancellationToken;
        var rollover = site.Server.Services.GetRequiredService<KeyRollover>();
        var ring = site.Server.Services.GetRequiredService<SigningKeyRing>();
        var oscar = await site.Server.GiveAppAsync(await site.Server.AddPersonAsync("oscar", ct, "operator"), ct);
        foreach (var algorithm in KeyFactory.Algorithms)
        {
            await rollover.CancelAsync(algorithm, "test", ct);
        }

        var orders = await AddServiceAsync("northwind-billing", "Northwind Billing", TimeSpan.FromMinutes(30), ct);
        var scanner = await AddServiceAsync("warehouse-scanner", "Warehouse Scanner", TimeSpan.FromHours(2), ct);
        var payroll = await AddServiceAsync("payroll-sync", "Payroll Sync", TimeSpan.FromHours(1), ct, waits: true);
        RelyingParty[] all = [orders, scanner, payroll];
        await FetchAsync(ct, all);
        await rollover.ScheduleAsync("RS256", Now.AddHours(24), force: true, "test", ct);
        await ring.ReloadAsync(ct);
        for (var hour = 0; hour < 26; hour += 6)
        {
            await FetchAsync(ct, all);
            site.Server.Clock.Advance(TimeSpan.FromHours(6));
        }

        await rollover.ScheduleAsync("ES256", Now.AddHours(44), force: false, "test", ct);
        await ring.ReloadAsync(ct);
        for (var part = 0; part < 8; part++)
        {
            site.Server.Clock.Advance(TimeSpan.FromMinutes(45));
            await FetchAsync(ct, part > 2 ? [orders, scanner] : [orders]);
            for (var i = 0; i < 12; i++)
            {
                await orders.ClientCredentialsAsync("orders.read", ct);
                await scanner.ClientCredentialsAsync("orders.read", ct);
            }
        }

        await PictureKeysAsync(oscar, "keys", ColorScheme.Light, 1280, "en-GB");
        await PictureKeysAsync(oscar, "keys-dark", ColorScheme.Dark, 1280, "en-GB");
        await PictureKeysAsync(oscar, "keys-narrow", ColorScheme.Light, 390, "en-GB");
        await PictureKeysAsync(oscar, "keys-zh", ColorScheme.Light, 1280, "zh-CN");
        await PictureKeysAsync(oscar, "keys-year", ColorScheme.Light, 1280, "en-GB", "?span=1y");
        await PictureKeysAsync(oscar, "keys-months", ColorScheme.Light, 1280, "en-GB", "?span=3m");
        await PictureKeysAsync(oscar, "keys-refused", ColorScheme.Light, 1280, "en-GB", refused: true);

        // It would hold back the rollovers of other tests.
        Assert.True(await site.Server.RemoveClientAsync("payroll-sync", ct));
        await site.Server.Services.GetRequiredService<ChangeFeed>().PollAsync(ct);
    }

    /// <summary>Who is signed in on a quiet morning, and what a receipt says a moment after everything of somebody ended.</summary>
    [Fact]
    public async Task Sessions_and_a_receipt_can_be_pictured()
    {
        var ct = TestContext.Current.CancellationToken;
        var help = site.Server.Services.GetRequiredService<EndingHelp>();
        await help.EndEverythingAsync("a fresh start for the picture", "cli", ct);
        var sam = await site.Server.GiveAppAsync(await site.Server.AddPersonAsync("sam", ct, "admin"), ct);
        var layla = await site.Server.AddPersonAsync("layla", ct);
        var wilhelmina = await site.Server.GiveAppAsync(await site.Server.AddPersonAsync("wilhelmina.papadopoulos-vandermeer", ct), ct);
        var billing = await site.Server.AddWebAppAsync("northwind-invoices", ct, client => client with
        {
            Name = "Northwind Billing",
            RequireConsent = false,
            RedirectUris = [site.AppOrigin + "/billing"],
            BackChannelLogoutUri = site.AppOrigin + "/signed-out",
        });
        var warehouse = await site.Server.AddWebAppAsync("warehouse-board", ct, client => client with
        {
            Name = "物流看板",
            RequireConsent = false,
            RedirectUris = [site.AppOrigin + "/board"],
            BackChannelLogoutUri = "http://127.0.0.1:9/signed-out",
        });
        (Person, string, RelyingParty[])[] visits =
        [
            (wilhelmina, "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36", [warehouse]),
            (layla, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", [billing]),
            (site.Bob, "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", []),
            (site.Alice, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1", [billing]),
            (site.Alice, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0", [billing, warehouse]),
        ];
        foreach (var (person, agent, apps) in visits)
        {
            await using var visitor = await site.OpenAsync(options => options.UserAgent = agent);
            await visitor.OpenAsync("/account");
            await visitor.SignInAsync(person);
            await visitor.ReachAsync("**/account");
            foreach (var app in apps)
            {
                await visitor.Page.GotoAsync(app.Attempt("openid").At(site.Server.Provider.Authorization).AbsoluteUri);
            }

            site.Server.Clock.Advance(TimeSpan.FromMinutes(7));
        }

        await PictureSessionsAsync(sam, "", ColorScheme.Light, 1280, "en-GB", ct);
        await PictureSessionsAsync(sam, "-dark", ColorScheme.Dark, 1280, "en-GB", ct);
        await PictureSessionsAsync(sam, "-narrow", ColorScheme.Light, 360, "en-GB", ct);
        await PictureSessionsAsync(sam, "-zh", ColorScheme.Light, 1280, "zh-CN", ct);
        await site.DismissAdminsAsync(ct);
    }

    private async Task PictureSessionsAsync(Person person, string variant, ColorScheme scheme, int width, string locale, CancellationToken ct)
    {
        if (!IsWorthWhile(scheme, width, locale))
        {
            return;
        }

        await using var visitor = await site.OpenAsync(options =>
        {
            options.ColorScheme = scheme;
            options.Locale = locale;
            options.ViewportSize = new ViewportSize { Width = width, Height = 900 };
        });
        var page = visitor.Page;
        await visitor.OpenAsync("/admin/sessions");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/admin/sessions");
        await SaveAsync(page, "sessions" + variant);
        await visitor.OpenAsync("/admin/sessions?person=blackberry");
        await SaveAsync(page, "sessions-nobody" + variant);
        await visitor.OpenAsync("/admin/sessions/end?all=true");
        await visitor.SendAsync("#reason", "");
        await SaveAsync(page, "end-everything" + variant);
        await visitor.OpenAsync("/admin/sessions");
        await page.Locator("#sessions tbody tr:has-text('alice') a.danger").First.ClickAsync();
        await visitor.ReachAsync("**/admin/sessions/end?*");
        await SaveAsync(page, "end" + variant);

        // One app takes the word, the other is not there: shown as soon as the courier has tried both.
        if (variant.Length == 0)
        {
            await page.Locator("#reason").FillAsync("laptop reported stolen, ticket 5512");
            await page.Locator("main button.danger").ClickAsync();
            await visitor.ReachAsync("**/admin/receipts/*");
            site.Server.Clock.Advance(TimeSpan.FromSeconds(2));
        }
        else
        {
            await visitor.OpenAsync("/admin/receipts");
            await page.Locator("#receipts a:has-text('alice')").First.ClickAsync();
            await visitor.ReachAsync("**/admin/receipts/*");
        }

        for (var looks = 0; await page.Locator("#notices :is(code, .ok)").CountAsync() < 2; looks++)
        {
            Assert.True(looks < 300, "The apps are not told.");
            await page.ReloadAsync();
        }

        await SaveAsync(page, "receipt" + variant);
        await visitor.OpenAsync("/admin/receipts");
        await SaveAsync(page, "receipts" + variant);
    }

    private DateTimeOffset Now => site.Server.Clock.GetUtcNow();

    private Task<RelyingParty> AddServiceAsync(string id, string name, TimeSpan lifetime, CancellationToken ct, bool waits = false) =>
        site.Server.AddClientAsync(
            new Client
            {
                Id = id,
                Type = ClientType.Service,
                Name = name,
                AuthMethod = ClientAuthMethods.Basic,
                GrantTypes = FrozenSet.Create(StringComparer.Ordinal, GrantTypes.ClientCredentials),
                Scopes = FrozenSet.Create(StringComparer.Ordinal, "orders.read"),
                AccessTokenLifetime = lifetime,
                RequireReadiness = waits,
            },
            ct);

    private async Task FetchAsync(CancellationToken ct, params RelyingParty[] clients)
    {
        foreach (var client in clients)
        {
            await site.Server.FetchAsync($"{Endpoints.Jwks}?client_id={client.ClientId}", ct);
        }
    }

    private async Task PictureKeysAsync(
        Person person, string name, ColorScheme scheme, int width, string locale, string query = "", bool refused = false)
    {
        if (!IsWorthWhile(scheme, width, locale))
        {
            return;
        }

        await using var visitor = await site.OpenAsync(options =>
        {
            options.ColorScheme = scheme;
            options.Locale = locale;
            options.ViewportSize = new ViewportSize { Width = width, Height = 1500 };
        });
        await visitor.OpenAsync("/admin");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/admin/keys");
        if (query.Length > 0)
        {
            await visitor.OpenAsync("/admin/keys" + query);
        }

        if (refused)
        {
            await visitor.Page.Locator("#alg").SelectOptionAsync("RS256");
            await visitor.Page.Locator("#from").FillAsync(Now.AddHours(2).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm", null));
            await visitor.Page.Locator("button[value=schedule]").ClickAsync();
            await visitor.Page.Locator("#from-error").WaitForAsync();
            await visitor.Page.Locator(".danger-zone > summary").ClickAsync();
        }

        await SaveAsync(visitor.Page, name, isWhole: refused || width < 500);
    }

    private async Task PictureAccountAsync(Person person, string name, ColorScheme scheme, int width, string locale)
    {
        if (!IsWorthWhile(scheme, width, locale))
        {
            return;
        }

        await using var visitor = await site.OpenAsync(options =>
        {
            options.ColorScheme = scheme;
            options.Locale = locale;
            options.ViewportSize = new ViewportSize { Width = width, Height = 960 };
            options.UserAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";
        });
        await visitor.OpenAsync("/account");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/account");
        await SaveAsync(visitor.Page, name);
    }

    /// <summary>Setting an authenticator app up, then signing in with its code, a recovery code, and a passkey.</summary>
    private async Task PictureFactorsAsync(string variant, Person person, ColorScheme scheme, int width, string locale)
    {
        if (!IsWorthWhile(scheme, width, locale))
        {
            return;
        }

        await using var visitor = await site.OpenAsync(locale, width, scheme);
        var page = visitor.Page;
        await page.SetViewportSizeAsync(width, 990);
        await visitor.ComeFromAppAsync("openid", ("acr_values", AcrValues.Mfa));
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/login/enrol?*");
        await SaveAsync(page, "enrol" + variant);
        var app = new AuthenticatorApp((await page.Locator(".key-text").TextContentAsync())!, site.Server.Clock);
        await visitor.SendAsync("#code", "000000");
        await SaveAsync(page, "enrol-refused" + variant);
        await visitor.SendAsync("#code", app.NextCode());
        await SaveAsync(page, "recovery-codes" + variant);
        await page.Context.ClearCookiesAsync();
        await page.SetViewportSizeAsync(width, 800);

        await visitor.ComeFromAppAsync("openid");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/login/code?*");
        await SaveAsync(page, "sign-in-code" + variant);
        await visitor.SendAsync("#code", "000000");
        await SaveAsync(page, "sign-in-code-refused" + variant);
        await page.Locator("a[href^='/login/recovery']").ClickAsync();
        await visitor.ReachAsync("**/login/recovery?*");
        await SaveAsync(page, "sign-in-recovery" + variant);
        await visitor.SendAsync("#recovery", "K7QM-2XRD-9FTW-H4");
        await SaveAsync(page, "sign-in-recovery-refused" + variant);
        for (var attempt = 1; attempt < 6; attempt++)
        {
            await visitor.SendAsync("#recovery", "K7QM-2XRD-9FTW-H4");
        }

        await SaveAsync(page, "sign-in-wait" + variant);

        await page.Locator("a[href^='/login/code']").ClickAsync();
        await visitor.ReachAsync("**/login/code?*");
        site.Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await visitor.SendAsync("#code", app.NextCode());
        await PasskeyTests.CarryAuthenticatorAsync(visitor);
        await PasskeyTests.WithoutAutofillAsync(visitor);
        await visitor.OpenAsync("/account/passkeys");
        await page.Locator("form[data-passkey] button").ClickAsync();
        await page.Locator(".list > li").WaitForAsync();
        await SaveAsync(page, "account-passkeys" + variant);
        await page.Context.ClearCookiesAsync();
        await visitor.ComeFromAppAsync("openid");
        await visitor.SignInAsync(person);
        await visitor.ReachAsync("**/login/code?*");
        await page.Locator("a[href^='/login/passkey']").ClickAsync();
        await visitor.ReachAsync("**/login/passkey?*");
        await SaveAsync(page, "sign-in-passkey" + variant);
    }

    private async Task PictureSignInAsync(string name, ColorScheme scheme, int width, string locale, ForcedColors forced = ForcedColors.None)
    {
        if (!IsWorthWhile(scheme, width, locale))
        {
            return;
        }

        await using var visitor = await site.OpenAsync(options =>
        {
            options.ColorScheme = scheme;
            options.Locale = locale;
            options.ForcedColors = forced;
            options.ViewportSize = new ViewportSize { Width = width, Height = 800 };
        });
        await visitor.ComeFromAppAsync();
        await SaveAsync(visitor.Page, name);
    }

    private static bool IsWorthWhile(ColorScheme scheme, int width, string locale) =>
        _folder is not null || (scheme == ColorScheme.Light && width == 1280 && locale == "en-GB");

    private static async Task SaveAsync(IPage page, string name, bool isWhole = true)
    {
        if (_folder is not null)
        {
            var picture = await page.ScreenshotAsync(new PageScreenshotOptions { FullPage = isWhole });
            await File.WriteAllBytesAsync(Path.Combine(_folder, name + ".png"), picture);
        }
    }
}
