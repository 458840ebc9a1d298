using System.Net;
using AngleSharp.Dom;
using IdentityServer.Passkeys;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Person = IdentityServer.Testing.Person;
using Revoker = IdentityServer.Protocol.Revocations.Revoker;

namespace IdentityServer.ProtocolTests.Passkeys;

/// <summary>Passkeys from app to app: signing in, second factor, step-up, enrolment, and the account page.</summary>
public sealed class PasskeyPagesTests(PasskeyServer server) : IClassFixture<PasskeyServer>
{
    private const string Account = "/account/passkeys";

    private static int _people;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private ServerFixture Server => server.Server;

    private RelyingParty App => server.App;

    [Fact]
    public async Task A_passkey_signs_in_alone_and_the_app_learns_how()
    {
        var (person, authenticator) = await PersonWithPasskeyAsync();
        using var key = authenticator;
        var browser = NewBrowser();
        var attempt = App.Attempt("openid profile");
        var login = await browser.OpenAsync(attempt.At(Server.Provider.Authorization), Ct);

        var tokens = await App.ExchangeAsync(App.WalkOf(attempt, await browser.UseAsync(login, key, Ct)), Ct);

        Assert.Equal(AcrValues.PhishingResistant, tokens.IdToken!["acr"]);
        Assert.Equal(["pop", "user", "mfa"], tokens.IdToken.List("amr"));
        Assert.Equal(await SubjectOfAsync(person), tokens.IdToken["sub"]);
        var signedIn = (await LatestAsync()).First(audit => audit.Type == AuditTypes.SignedIn);
        Assert.Equal("pop user mfa", signedIn.Detail);
    }

    [Fact]
    public async Task Keep_me_signed_in_counts_for_passkeys_too()
    {
        var (_, authenticator) = await PersonWithPasskeyAsync();
        using var key = authenticator;
        foreach (var kept in new[] { true, false })
        {
            var browser = NewBrowser();
            var login = await OpenAsync(browser, "/login");
            var begun = (await browser.AskAsync(login, Ct)).Json!;
            var credential = key.Get(begun["options"]!.ToJsonString(), server.Origin);
            await browser.AnswerAsync(login, (string?)begun["ceremony"], credential, Ct, ("keep", kept ? "on" : ""));

            var cookie = browser.Cookies.All.Single(cookie => cookie.Name == "identity.session");
            Assert.Equal(kept, cookie.Header.Contains("expires=", StringComparison.OrdinalIgnoreCase));
        }
    }

    [Fact]
    public async Task After_a_password_a_passkey_is_asked_for_and_needs_no_verification()
    {
        var (person, authenticator) = await PersonWithPasskeyAsync();
        using var key = authenticator;
        var browser = NewBrowser();
        var attempt = App.Attempt();
        var login = await browser.OpenAsync(attempt.At(Server.Provider.Authorization), Ct);

        var page = await browser.SignInAsync(login, person, Ct);
        Assert.Equal("/login/passkey", page.Address.AbsolutePath);
        Assert.Null(browser.Cookies.Value("identity.session"));
        var refused = await browser.UseAsync(page, key, Ct, it => it with { Origin = "https://evil.example" });
        Assert.Equal("/login/passkey", refused.Address.AbsolutePath);
        Assert.NotNull(refused.Document.QuerySelector("[role=alert]"));
        page = await browser.UseAsync(refused, key, Ct, it => it with { UserVerified = false });

        var tokens = await App.ExchangeAsync(App.WalkOf(attempt, page), Ct);
        Assert.Equal(AcrValues.PhishingResistant, tokens.IdToken!["acr"]);
        Assert.Equal(["pwd", "pop", "user", "mfa"], tokens.IdToken.List("amr"));
    }

    [Fact]
    public async Task A_second_factor_that_fails_again_and_again_has_to_wait()
    {
        var (person, authenticator) = await PersonWithPasskeyAsync();
        using var key = authenticator;
        using var other = new SoftwareAuthenticator { UserHandle = key.UserHandle };
        var browser = NewBrowser();
        var page = await browser.SignInAsync(await OpenAsync(browser, "/login"), person, Ct);

        for (var attempt = 0; page.Status == HttpStatusCode.OK && attempt < 20; attempt++)
        {
            page = await browser.UseAsync(page, other, Ct);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, page.Status);
        Assert.NotNull(page.Header("Retry-After"));
        page = await browser.UseAsync(page, key, Ct);
        Assert.Equal(HttpStatusCode.TooManyRequests, page.Status);
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        await browser.UseAsync(page, key, Ct);
        Assert.NotNull(browser.Cookies.Value("identity.session"));
    }

    [Fact]
    public async Task An_app_that_wants_more_gets_it_by_a_step_up()
    {
        var (person, authenticator) = await PersonWithPasskeyAsync(withApp: true);
        using var key = authenticator;
        var browser = NewBrowser();
        var login = await OpenAsync(browser, "/login");
        var code = await browser.SignInAsync(login, person, Ct);
        Server.Clock.Advance(TimeSpan.FromSeconds(30));
        await browser.TypeCodeAsync(await OpenAsync(browser, "/login/code", code), person.App!.Code, remember: false, Ct);
        var attempt = App.Attempt().With("acr_values", AcrValues.PhishingResistant);

        var page = await browser.OpenAsync(attempt.At(Server.Provider.Authorization), Ct);

        Assert.Equal("/login/passkey", page.Address.AbsolutePath);
        var tokens = await App.ExchangeAsync(App.WalkOf(attempt, await browser.UseAsync(page, key, Ct)), Ct);
        Assert.Equal(AcrValues.PhishingResistant, tokens.IdToken!["acr"]);
        Assert.Equal(["pwd", "otp", "pop", "user", "mfa"], tokens.IdToken.List("amr"));
    }

    [Fact]
    public async Task Who_must_have_a_second_factor_can_set_a_passkey_up_on_the_way()
    {
        var person = await AddPersonAsync();
        var browser = NewBrowser();
        var attempt = App.Attempt().With("acr_values", AcrValues.PhishingResistant).With("claims", """{"id_token":{"acr":{"essential":true,"values":["phr"]}}}""");
        using var key = new SoftwareAuthenticator { IsSynced = true };
        var page = await browser.SignInAsync(await browser.OpenAsync(attempt.At(Server.Provider.Authorization), Ct), person, Ct);
        Assert.Equal("/login/enrol", page.Address.AbsolutePath);

        var refused = await browser.UseAsync(page, key, Ct, it => it with { UserVerified = false });
        Assert.Equal("/login/enrol", refused.Address.AbsolutePath);
        Assert.NotNull(refused.Document.QuerySelector("[role=alert]"));
        var codes = await browser.UseAsync(refused, key, Ct);
        Assert.Equal(10, TwoFactor.RecoveryCodesOn(codes).Count);
        var back = await browser.OpenAsync(new Uri(codes.Address, codes.Document.QuerySelector("a.button[href^='/']")!.GetAttribute("href")!), Ct);

        var tokens = await App.ExchangeAsync(App.WalkOf(attempt, back), Ct);
        Assert.Equal(AcrValues.PhishingResistant, tokens.IdToken!["acr"]);
        Assert.Equal(["pwd", "pop", "user", "mfa"], tokens.IdToken.List("amr"));
        Assert.Equal(["factor_changed"], await MailsOfAsync(person));
        Assert.StartsWith("Passkey of ", Assert.Single(await PasskeysOfAsync(person)).Name, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whoever_is_refused_is_told_the_same()
    {
        var (disabled, disabledKey) = await PersonWithPasskeyAsync();
        using var first = disabledKey;
        await Server.Services.GetRequiredService<Revoker>().EndPersonAsync(
            await SubjectOfAsync(disabled),
            null,
            new Disabled { Audit = new AuditEvent(AuditTypes.UserChanged, Server.Clock.GetUtcNow()) },
            new("test", "test", null),
            Ct);
        var (_, known) = await PersonWithPasskeyAsync();
        using var second = known;
        using var unknown = new SoftwareAuthenticator { UserHandle = known.UserHandle };

        var answers = new List<string>();
        answers.Add(await RefusedAsync(first, null));
        answers.Add(await RefusedAsync(unknown, null));
        answers.Add(await RefusedAsync(second, it => it with { UserVerified = false }));
        answers.Add(await RefusedAsync(second, it => it with { Signature = _ => [1] }));

        Assert.Single(answers.Distinct(StringComparer.Ordinal));
        Assert.Contains("was not accepted", answers[0], StringComparison.Ordinal);

        async Task<string> RefusedAsync(SoftwareAuthenticator key, Func<AuthenticatorClaims, AuthenticatorClaims>? lie)
        {
            var browser = NewBrowser();
            var page = await browser.UseAsync(await OpenAsync(browser, "/login"), key, Ct, lie);
            Assert.Null(browser.Cookies.Value("identity.session"));
            return page.Document.QuerySelector("main")!.TextContent + (int)page.Status;
        }
    }

    [Fact]
    public async Task The_same_assertion_with_a_saved_copy_of_every_cookie_signs_nobody_in()
    {
        var (_, authenticator) = await PersonWithPasskeyAsync();
        using var key = authenticator;
        var browser = NewBrowser();
        var login = await OpenAsync(browser, "/login");
        var begun = (await browser.AskAsync(login, Ct)).Json!;
        var credential = key.Get(begun["options"]!.ToJsonString(), server.Origin);
        var thief = NewBrowser();
        foreach (var cookie in browser.Cookies.All)
        {
            thief.Cookies.Add(cookie);
        }

        await browser.AnswerAsync(login, (string?)begun["ceremony"], credential, Ct);
        var again = await thief.AnswerAsync(login, (string?)begun["ceremony"], credential, Ct);

        Assert.NotNull(browser.Cookies.Value("identity.session"));
        Assert.Null(thief.Cookies.Value("identity.session"));
        Assert.Contains("was not accepted", again.Text, StringComparison.Ordinal);
        Assert.Equal("replayed", (await LatestAsync()).First(audit => audit.Type == AuditTypes.PasskeyRefused).Outcome);
    }

    [Fact]
    public async Task With_nothing_under_way_the_page_says_so_and_nothing_breaks()
    {
        var browser = NewBrowser();
        var login = await OpenAsync(browser, "/login");

        foreach (var (ceremony, credential) in new (string?, string?)[] { (null, null), ("", ""), ("x", "{}"), (new string('y', 43), "[1]") })
        {
            var page = await browser.AnswerAsync(login, ceremony, credential, Ct);
            Assert.Equal(HttpStatusCode.OK, page.Status);
            Assert.Contains("was not accepted", page.Text, StringComparison.Ordinal);
        }

        var (person, key) = await PersonWithPasskeyAsync();
        using var authenticator = key;
        browser = NewBrowser();
        var factor = await browser.SignInAsync(await OpenAsync(browser, "/login"), person, Ct);
        browser.Cookies.Clear();
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.AnswerAsync(factor, "x", "{}", Ct)).Status);
        Assert.Equal("/login", (await OpenAsync(browser, "/login/passkey")).Address.AbsolutePath);
        Assert.Empty(Server.Log.Errors);
    }

    [Fact]
    public async Task Only_our_own_pages_begin_a_ceremony()
    {
        foreach (var path in new[] { "/login?handler=options", "/login/passkey?handler=options", Account + "?handler=options" })
        {
            var page = await NewBrowser().PostFromElsewhereAsync(new Uri(Server.Address, path), [], Ct);
            Assert.Equal(HttpStatusCode.BadRequest, page.Status);
        }

        var browser = NewBrowser();
        var asked = await browser.AskAsync(await OpenAsync(browser, "/login"), Ct);
        Assert.Equal("no-store", asked.Header("Cache-Control"));
        Assert.Equal("application/json", asked.MediaType);
    }

    [Fact]
    public async Task A_flood_is_told_when_to_come_again()
    {
        await using var small = await ServerFixture.StartAsync(
            Ct, settings => settings["IdentityServer:Issuer"] = ServerFixture.AtLocalhost(settings["urls"]!));
        var browser = new Browser(small.Http);
        var login = await browser.OpenAsync(new Uri(small.Address, "/login"), Ct);

        Page asked;
        var count = 0;
        do
        {
            asked = await browser.AskAsync(login, Ct);
            count++;
        }
        while (asked.Status == HttpStatusCode.OK && count < 3 * PasskeyTraffic.Burst);

        Assert.Equal(HttpStatusCode.TooManyRequests, asked.Status);
        Assert.Equal("10", asked.Header("Retry-After"));
        Assert.True(count >= PasskeyTraffic.Burst);
    }

    [Fact]
    public async Task Where_the_issuer_is_an_address_nobody_is_offered_a_passkey()
    {
        await using var other = await ServerFixture.StartAsync(Ct);
        var browser = new Browser(other.Http);
        var login = await browser.OpenAsync(new Uri(other.Address, "/login"), Ct);

        Assert.Null(login.PasskeyForm());
        Assert.DoesNotContain("webauthn", login.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await browser.OpenAsync(new Uri(other.Address, Account), Ct)).Status);
    }

    [Fact]
    public async Task The_account_page_adds_renames_and_removes()
    {
        var person = await AddPersonAsync();
        var browser = NewBrowser();
        var page = await browser.SignInAsync(await OpenAsync(browser, Account), person, Ct);
        Assert.Equal(Account, page.Address.AbsolutePath);
        Assert.Contains("You have none yet", page.Text, StringComparison.Ordinal);
        using var key = new SoftwareAuthenticator { IsSynced = true };

        var begun = (await browser.AskAsync(page, Ct)).Json!;
        var made = key.Create(begun["options"]!.ToJsonString(), server.Origin);
        page = await browser.AnswerAsync(page, (string?)begun["ceremony"], made, Ct, ("name", "  <b>Blue</b> key "));
        Assert.Contains("Passkey “&lt;b&gt;Blue&lt;/b&gt; key” was added.", page.Text, StringComparison.Ordinal);
        Assert.Equal("Synced", page.Document.QuerySelector(".list .status")!.TextContent);

        // There is a second factor now, so the password alone is no fresh proof any more.
        Assert.Null(page.PasskeyForm());
        var way = page.Document.QuerySelector("main a.button")!.GetAttribute("href")!;
        page = await browser.UseAsync(await browser.OpenAsync(new Uri(page.Address, way), Ct), key, Ct);
        Assert.Equal(Account, page.Address.AbsolutePath);

        page = await SubmitAsync(browser, page, "rename", ("name", "Green key"));
        Assert.Contains("is called “Green key” now", page.Text, StringComparison.Ordinal);
        page = await SubmitAsync(browser, page, "remove");
        Assert.Contains("The passkey was removed.", page.Text, StringComparison.Ordinal);
        Assert.Empty(await PasskeysOfAsync(person));
        Assert.Equal(["factor_changed", "factor_changed"], await MailsOfAsync(person));
        Assert.Equal(
            [AuditTypes.PasskeyAdded, AuditTypes.PasskeyRenamed, AuditTypes.PasskeyRemoved],
            (await LatestAsync()).Where(audit => audit.Type.StartsWith("passkey.", StringComparison.Ordinal)).Reverse().TakeLast(3).Select(audit => audit.Type));
    }

    [Fact]
    public async Task Without_a_fresh_proof_nothing_is_changed()
    {
        var (person, authenticator) = await PersonWithPasskeyAsync();
        using var key = authenticator;
        var browser = NewBrowser();
        var page = await browser.UseAsync(await OpenAsync(browser, Account), key, Ct);
        Assert.NotNull(page.PasskeyForm());
        Server.Clock.Advance(TimeSpan.FromMinutes(15));

        Assert.Equal(HttpStatusCode.NotFound, (await browser.AskAsync(page, Ct)).Status);
        var answer = await SubmitAsync(browser, page, "remove");
        Assert.Equal("/login", answer.Address.AbsolutePath);
        answer = await SubmitAsync(browser, page, "rename", ("name", "Mine"));
        Assert.Equal("/login", answer.Address.AbsolutePath);
        answer = await browser.AnswerAsync(page, "x", "{}", Ct);
        Assert.Equal("/login", answer.Address.AbsolutePath);
        Assert.NotEqual("Mine", Assert.Single(await PasskeysOfAsync(person)).Name);

        page = await browser.UseAsync(answer, key, Ct);
        Assert.Equal(Account, page.Address.AbsolutePath);
        Assert.NotNull(page.PasskeyForm());
    }

    [Fact]
    public async Task Nobody_changes_what_is_not_theirs()
    {
        var (_, alices) = await PersonWithPasskeyAsync();
        using var first = alices;
        var (mallory, mallorys) = await PersonWithPasskeyAsync();
        using var second = mallorys;
        var browser = NewBrowser();
        var page = await browser.UseAsync(await OpenAsync(browser, Account), second, Ct);
        var id = Passkey.IdOf(first.CredentialId);

        page = await SubmitAsync(browser, page, "rename", ("name", "Mine"), ("id", id));
        page = await SubmitAsync(browser, page, "remove", ("id", id));
        page = await SubmitAsync(browser, page, "remove", ("id", "nobody's"));

        Assert.Equal(HttpStatusCode.OK, page.Status);
        var untouched = (await Server.Services.GetRequiredService<IPasskeys>().FindAsync(first.CredentialId, Ct))!;
        Assert.NotEqual("Mine", untouched.Name);
        Assert.Single(await PasskeysOfAsync(mallory));
    }

    [Fact]
    public async Task The_last_factor_of_who_must_have_one_stays()
    {
        var (person, authenticator) = await PersonWithPasskeyAsync();
        using var key = authenticator;
        await using (var scope = Server.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<IdentityServer.Storage.ServerDb>();
            await db.Users.Where(user => user.UserName == person.UserName)
                .ExecuteUpdateAsync(set => set.SetProperty(user => user.RequiresSecondFactor, true), Ct);
        }

        var browser = NewBrowser();
        var page = await browser.UseAsync(await OpenAsync(browser, Account), key, Ct);
        page = await SubmitAsync(browser, page, "remove");

        Assert.Contains("This passkey cannot be removed", page.Text, StringComparison.Ordinal);
        Assert.Single(await PasskeysOfAsync(person));
        using var another = new SoftwareAuthenticator();
        page = await browser.UseAsync(page, another, Ct);
        page = await SubmitAsync(browser, page, "remove");
        Assert.Contains("The passkey was removed.", page.Text, StringComparison.Ordinal);
        Assert.Single(await PasskeysOfAsync(person));
    }

    private Browser NewBrowser() => new(Server.Http);

    private Task<Page> OpenAsync(Browser browser, string path, Page? from = null) =>
        browser.OpenAsync(new Uri(from?.Address ?? Server.Address, path), Ct);

    private static Task<Page> SubmitAsync(Browser browser, Page page, string handler, params (string Name, string Value)[] fields)
    {
        var form = page.Forms.First(form => form.GetAttribute("action")!.Contains("handler=" + handler, StringComparison.Ordinal));
        return browser.SubmitAsync(
            page, form, fields.ToDictionary(field => field.Name, field => (string?)field.Value, StringComparer.Ordinal), null, Ct);
    }

    private async Task<Person> AddPersonAsync() => await Server.AddPersonAsync($"keyed{Interlocked.Increment(ref _people)}", Ct);

    private async Task<(Person Person, SoftwareAuthenticator Key)> PersonWithPasskeyAsync(bool withApp = false)
    {
        var person = await AddPersonAsync();
        var browser = NewBrowser();
        if (withApp)
        {
            var attempt = App.Attempt().With("acr_values", AcrValues.Mfa).With("claims", """{"id_token":{"acr":{"essential":true,"values":["urn:identityserver:mfa"]}}}""");
            var enrol = await browser.SignInAsync(await browser.OpenAsync(attempt.At(Server.Provider.Authorization), Ct), person, Ct);
            var (app, _) = await browser.EnrolAsync(enrol, Server.Clock, Ct);
            person = person with { App = app };
        }

        var key = new SoftwareAuthenticator();
        var page = withApp
            ? await OpenAsync(browser, Account)
            : await browser.SignInAsync(await OpenAsync(browser, Account), person, Ct);
        await browser.UseAsync(page, key, Ct);
        Assert.Single(await PasskeysOfAsync(person));
        return (person, key);
    }

    private async Task<string> SubjectOfAsync(Person person)
    {
        await using var scope = Server.Services.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<UserManager<User>>().FindByNameAsync(person.UserName))!.Id;
    }

    private async Task<IReadOnlyList<Passkey>> PasskeysOfAsync(Person person) =>
        await Server.Services.GetRequiredService<IPasskeys>().ListAsync(await SubjectOfAsync(person), Ct);

    private async Task<IReadOnlyList<string>> MailsOfAsync(Person person)
    {
        var subject = await SubjectOfAsync(person);
        await using var scope = Server.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<IdentityServer.Storage.ServerDb>();
        return await db.OutboxMails.Where(mail => mail.Subject == subject).Select(mail => mail.Kind).ToListAsync(Ct);
    }

    private async Task<IReadOnlyList<AuditEvent>> LatestAsync() =>
        await Server.Services.GetRequiredService<IAuditLog>().LatestAsync(30, Ct);
}
