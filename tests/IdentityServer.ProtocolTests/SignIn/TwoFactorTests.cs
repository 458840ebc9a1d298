using System.Net;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.SignIn;

/// <summary>Signing in with two factors, from app to app: enrolment, codes, recovery codes, remembered devices, step-up.</summary>
public sealed class TwoFactorTests(AppServer apps) : IClassFixture<AppServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private RelyingParty App => apps.App;

    private MutableClock Clock => apps.Server.Clock;

    [Fact]
    public async Task An_app_that_asks_for_two_factors_leads_through_enrolment_and_gets_what_it_asked_for()
    {
        var (person, _, walk) = await EnrolAsync();

        var tokens = await App.ExchangeAsync(walk, Ct);

        Assert.Equal(AcrValues.Mfa, tokens.IdToken!["acr"]);
        Assert.Equal(["pwd", "otp", "mfa"], tokens.IdToken.List("amr"));
        Assert.NotNull(person.App);
    }

    [Fact]
    public async Task Who_has_a_second_factor_is_asked_for_it_by_every_app()
    {
        var (person, _, _) = await EnrolAsync();
        Clock.Advance(Totp);
        var browser = new Browser(App.Http);

        var page = await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct);

        Assert.Equal("/login/code", page.Address.AbsolutePath);
        Assert.Null(browser.Cookies.Value("identity.session"));
        var walk = await App.AuthorizeAsync(new Browser(App.Http), App.Attempt(), person, Ct);
        Assert.Equal(["pwd", "otp", "mfa"], (await App.ExchangeAsync(walk, Ct)).IdToken!.List("amr"));
    }

    [Fact]
    public async Task A_code_is_accepted_once()
    {
        var (person, _, _) = await EnrolAsync();
        Clock.Advance(Totp);
        var code = person.App!.Code;
        Assert.True((await SignInWithAsync(person, code)).Leaves);

        var again = await SignInWithAsync(person, code);

        Assert.Equal("/login/code", again.Address.AbsolutePath);
        Assert.Contains("is not right or was used already", again.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_many_uses_of_a_code_at_once_one_signs_in()
    {
        var (person, _, _) = await EnrolAsync();
        Clock.Advance(Totp);
        var code = person.App!.Code;
        var browsers = Enumerable.Range(0, 4).Select(_ => new Browser(App.Http)).ToArray();
        var pages = await Task.WhenAll(browsers.Select(async browser =>
            await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct)));

        var answers = await Task.WhenAll(browsers.Zip(pages, (browser, page) => browser.TypeCodeAsync(page, code, remember: false, Ct)));

        Assert.Single(answers, answer => answer.Leaves);
    }

    [Theory]
    [InlineData(-60, false)]
    [InlineData(-30, true)]
    [InlineData(30, true)]
    [InlineData(60, false)]
    public async Task A_phone_whose_clock_is_a_little_off_works(int seconds, bool isAccepted)
    {
        var (person, _, _) = await EnrolAsync();
        Clock.Advance(3 * Totp);

        var answer = await SignInWithAsync(person, person.App!.CodeIn(TimeSpan.FromSeconds(seconds)));

        Assert.Equal(isAccepted, answer.Leaves);
    }

    [Fact]
    public async Task A_recovery_code_stands_in_once_and_however_it_is_typed()
    {
        var (person, codes, _) = await EnrolAsync();
        Assert.Equal(10, codes.Count);
        Assert.All(codes, code => Assert.Matches("^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$", code));

        Assert.True((await RecoverAsync(person, codes[3].ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal))).Leaves);
        var again = await RecoverAsync(person, codes[3]);
        var other = await RecoverAsync(person, codes[4]);

        Assert.Contains("was used already", again.Text, StringComparison.Ordinal);
        Assert.Contains("<b>9</b>", again.Text, StringComparison.Ordinal);
        Assert.True(other.Leaves);
    }

    [Fact]
    public async Task A_remembered_device_is_spared_the_code_and_claims_no_more_than_it_proved()
    {
        var (person, _, _) = await EnrolAsync();
        Clock.Advance(Totp);
        var browser = new Browser(App.Http);
        var page = await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct);
        Assert.True((await browser.TypeCodeAsync(page, person.App!.Code, remember: true, Ct)).Leaves);
        Clock.Advance(TimeSpan.FromSeconds(1));

        var walk = await App.AuthorizeAsync(browser, App.Attempt().With("prompt", "login"), person with { App = null }, Ct);

        var idToken = (await App.ExchangeAsync(walk, Ct)).IdToken!;
        Assert.Equal((AcrValues.Password, "pwd"), (idToken["acr"], Assert.Single(idToken.List("amr"))));
        Clock.Advance(TimeSpan.FromDays(31));
        walk = await App.AuthorizeAsync(browser, App.Attempt(), person with { App = null }, Ct);
        Assert.Equal("/login/code", walk.Last.Address.AbsolutePath);
    }

    [Fact]
    public async Task An_app_that_insists_gets_the_second_factor_also_on_a_remembered_device()
    {
        var (person, _, _) = await EnrolAsync();
        Clock.Advance(Totp);
        var browser = new Browser(App.Http);
        var page = await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct);
        await browser.TypeCodeAsync(page, person.App!.Code, remember: true, Ct);
        Clock.Advance(TimeSpan.FromSeconds(1));
        var walk = await App.AuthorizeAsync(browser, App.Attempt().With("prompt", "login"), person with { App = null }, Ct);
        Assert.NotNull(walk.Answer);
        Clock.Advance(Totp);

        walk = await App.AuthorizeAsync(browser, App.Attempt().With("acr_values", AcrValues.Mfa), person, Ct);

        Assert.Equal(0, walk.SignIns);
        Assert.Equal(AcrValues.Mfa, (await App.ExchangeAsync(walk, Ct)).IdToken!["acr"]);
    }

    [Fact]
    public async Task A_step_up_keeps_the_session_gives_it_a_new_handle_and_does_not_make_the_password_younger()
    {
        var (person, _, _) = await EnrolAsync(acrValues: null);
        var browser = new Browser(App.Http);
        var first = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt(), person with { App = null }, Ct), Ct);
        var handle = browser.Cookies.Value("identity.session");
        Clock.Advance(TimeSpan.FromMinutes(5));
        var enrolment = await App.AuthorizeAsync(browser, App.Attempt().With("acr_values", AcrValues.Mfa), person, Ct);
        var (_, shown) = await browser.EnrolAsync(enrolment.Last, Clock, Ct);
        var answer = await browser.OpenAsync(new Uri(shown.Address, shown.Document.QuerySelector("a.button:not(.quiet)")!.GetAttribute("href")), Ct);

        Assert.True(answer.Leaves);
        var again = await App.ExchangeAsync(await App.AuthorizeAsync(browser, App.Attempt().With("prompt", "none"), null, Ct), Ct);
        Assert.Equal(first.IdToken!["sid"], again.IdToken!["sid"]);
        Assert.Equal((long)first.IdToken.Claims["auth_time"]!, (long)again.IdToken.Claims["auth_time"]!);
        Assert.Equal(AcrValues.Mfa, again.IdToken["acr"]);
        Assert.NotEqual(handle, browser.Cookies.Value("identity.session"));
    }

    [Fact]
    public async Task Not_now_goes_on_where_nobody_insists_and_is_an_error_where_the_app_does()
    {
        var person = await apps.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct);
        var browser = new Browser(App.Http);
        var walk = await App.AuthorizeAsync(browser, App.Attempt().With("acr_values", AcrValues.Mfa), person, Ct);

        var answer = await DeclineAsync(browser, walk.Last);
        Assert.Contains("code=", answer.Location!.Query, StringComparison.Ordinal);

        var essential = """{"id_token":{"acr":{"essential":true,"values":["urn:identityserver:mfa"]}}}""";
        walk = await App.AuthorizeAsync(browser, App.Attempt().With("claims", essential), person, Ct);
        answer = await DeclineAsync(browser, walk.Last);
        Assert.Contains("error=unmet_authentication_requirements", answer.Location!.Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_page_a_stronger_sign_in_is_refused()
    {
        var person = await apps.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct);
        var browser = new Browser(App.Http);
        Assert.NotNull((await App.AuthorizeAsync(browser, App.Attempt(), person, Ct)).Answer);

        var walk = await App.AuthorizeAsync(
            browser, App.Attempt().With("prompt", "none").With("acr_values", AcrValues.Mfa), null, Ct);

        Assert.Equal("login_required", walk.Answered.Error);
    }

    [Fact]
    public async Task A_client_that_requires_two_factors_gets_no_less()
    {
        var strict = await apps.Server.AddWebAppAsync(
            "strict" + Guid.NewGuid().ToString("N"), Ct, client => client with { RequireConsent = false, MinimumAcr = AcrValues.Mfa });
        var person = await apps.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct);
        var browser = new Browser(App.Http);

        var walk = await strict.AuthorizeAsync(browser, strict.Attempt(), person, Ct);

        Assert.Equal("/login/enrol", walk.Last.Address.AbsolutePath);
        var answer = await DeclineAsync(browser, walk.Last);
        Assert.Contains("error=unmet_authentication_requirements", answer.Location!.Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stolen_password_cannot_add_a_factor_to_one_that_is_there()
    {
        var (person, _, _) = await EnrolAsync();
        var browser = new Browser(App.Http);
        var page = await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct);
        Assert.Equal("/login/code", page.Address.AbsolutePath);

        var enrol = await browser.OpenAsync(new Uri(page.Address, "/login/enrol" + page.Address.Query), Ct);

        Assert.Equal("/login/code", enrol.Address.AbsolutePath);
    }

    [Fact]
    public async Task Wrong_codes_are_counted_for_the_person_and_not_for_the_browser()
    {
        var (person, codes, _) = await EnrolAsync();
        Clock.Advance(Totp);
        for (var guess = 0; guess < 5; guess++)
        {
            Assert.Equal(HttpStatusCode.OK, (await SignInWithAsync(person, "000000")).Status);
        }

        var blocked = await SignInWithAsync(person, person.App!.Code);
        Assert.Equal(HttpStatusCode.TooManyRequests, blocked.Status);
        Assert.Equal("30", blocked.Header("Retry-After"));
        Assert.True((await RecoverAsync(person, codes[0])).Leaves, "Another factor has a count of its own.");
        Clock.Advance(Totp);
        Assert.True((await SignInWithAsync(person, person.App.Code)).Leaves);
    }

    [Fact]
    public async Task A_sign_in_under_way_ends_after_a_quarter_of_an_hour()
    {
        var (person, _, _) = await EnrolAsync();
        var browser = new Browser(App.Http);
        var page = await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct);
        Clock.Advance(TimeSpan.FromMinutes(15));

        var answer = await browser.TypeCodeAsync(page, person.App!.Code, remember: false, Ct);

        Assert.NotNull(answer.SignInForm);
    }

    [Fact]
    public async Task No_secret_and_no_code_stands_in_the_database_or_the_log()
    {
        var (person, codes, _) = await EnrolAsync();
        Clock.Advance(Totp);
        var code = person.App!.Code;
        await SignInWithAsync(person, code);
        await RecoverAsync(person, codes[0]);

        var secret = person.App.Key.Replace(" ", "", StringComparison.Ordinal);
        var stored = await apps.Server.ReadDatabaseAsync(Ct);
        foreach (var text in new[] { secret, codes[0], codes[1], codes[1].Replace("-", "", StringComparison.Ordinal) })
        {
            Assert.DoesNotContain(text, stored, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(text, apps.Server.Log.Text, StringComparison.OrdinalIgnoreCase);
        }
    }

    private static TimeSpan Totp { get; } = TimeSpan.FromSeconds(30);

    private Task<Page> OpenAsync(Browser browser) => browser.OpenAsync(App.Attempt().At(App.Provider.Authorization), Ct);

    private async Task<Page> SignInWithAsync(Person person, string code)
    {
        var browser = new Browser(App.Http);
        var page = await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct);
        return await browser.TypeCodeAsync(page, code, remember: false, Ct);
    }

    private async Task<Page> RecoverAsync(Person person, string code)
    {
        var browser = new Browser(App.Http);
        var page = await browser.SignInAsync(await OpenAsync(browser), person with { App = null }, Ct);
        page = await browser.OpenAsync(new Uri(page.Address, "/login/recovery" + page.Address.Query), Ct);
        var form = page.Forms.First();
        return await browser.SubmitAsync(page, form, new Dictionary<string, string?>(StringComparer.Ordinal) { ["recovery"] = code }, null, Ct);
    }

    private static Task<Page> DeclineAsync(Browser browser, Page page) => browser.SubmitAsync(
        page, page.Forms.Single(form => page.ActionOf(form).Query.Contains("Decline", StringComparison.Ordinal)), new Dictionary<string, string?>(), null, Ct);

    /// <summary>Somebody new who set up an app on the way to ours.</summary>
    private async Task<(Person Person, IReadOnlyList<string> Codes, AuthorizationWalk Walk)> EnrolAsync(string? acrValues = AcrValues.Mfa)
    {
        var person = await apps.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct);
        if (acrValues is null)
        {
            return (person, [], null!);
        }

        var browser = new Browser(App.Http);
        var attempt = App.Attempt().With("acr_values", acrValues);
        var page = (await App.AuthorizeAsync(browser, attempt, person, Ct)).Last;
        Assert.Equal("/login/enrol", page.Address.AbsolutePath);
        var (app, shown) = await browser.EnrolAsync(page, Clock, Ct);
        var codes = TwoFactor.RecoveryCodesOn(shown);
        var back = await browser.OpenAsync(new Uri(shown.Address, shown.Document.QuerySelector("a.button:not(.quiet)")!.GetAttribute("href")), Ct);
        return (person with { App = app }, codes, App.WalkOf(attempt, back));
    }
}
