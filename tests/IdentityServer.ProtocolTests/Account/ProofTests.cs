using System.Net;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using static IdentityServer.ProtocolTests.Account.AccountServer;

namespace IdentityServer.ProtocolTests.Account;

/// <summary>The pages at which people change how they prove who they are.</summary>
public sealed class ProofTests(AccountServer server) : IClassFixture<AccountServer>
{
    private const string NewPassword = "seven violet anchors rest";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private MutableClock Clock => server.Server.Clock;

    [Fact]
    public async Task A_new_password_ends_everything_but_this_session()
    {
        var person = await server.AddPersonAsync();
        var elsewhere = new Browser(server.Server.Http);
        var tokens = await server.App.ExchangeAsync(
            await server.App.AuthorizeAsync(elsewhere, server.App.Attempt("openid offline_access"), person, Ct), Ct);
        var (browser, page) = await server.EnterAsync(person, "/account/password");
        var here = await server.App.ExchangeAsync(await server.App.AuthorizeAsync(browser, server.App.Attempt(), null, Ct), Ct);
        var copy = new Browser(server.Server.Http);
        foreach (var cookie in browser.Cookies.All)
        {
            copy.Cookies.Add(cookie);
        }

        page = await ChangeAsync(browser, page, person.Password, NewPassword);

        Assert.Contains("Your password was changed", page.Text, StringComparison.Ordinal);
        Assert.Equal("/account", (await server.OpenAsync(browser, "/account")).Address.AbsolutePath);
        Assert.Equal(200, (await server.App.UserInfoAsync(here.AccessToken!, Ct)).Status);
        Assert.Equal("/login", (await server.OpenAsync(copy, "/account")).Address.AbsolutePath);
        Assert.Equal("/login", (await server.OpenAsync(elsewhere, "/account")).Address.AbsolutePath);
        Check.TokenError(await server.App.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await server.App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
        Assert.Equal("/login", (await SignInAsync(person)).Address.AbsolutePath);
        Assert.Equal("/account", (await SignInAsync(person with { Password = NewPassword })).Address.AbsolutePath);
        Assert.Equal(Clock.GetUtcNow().Date, (await server.FindAsync(person)).PasswordChangedAt!.Value.UtcDateTime.Date);
        Assert.Equal(1, await MailsAsync(person, "password_changed"));
    }

    [Fact]
    public async Task A_new_password_voids_what_devices_were_spared()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var remembered = await RememberAsync(person);
        var (browser, page) = await server.EnterAsync(person, "/account/password");

        await ChangeAsync(browser, page, person.Password, NewPassword);

        var asked = await remembered.SignInAsync(
            await server.OpenAsync(remembered, "/account"), person with { App = null, Password = NewPassword }, Ct);
        Assert.Equal("/login/code", asked.Address.AbsolutePath);
    }

    [Theory]
    [InlineData("not my old password", NewPassword, "current-password", "This is not your password")]
    [InlineData("", NewPassword, "current-password", "This is not your password")]
    [InlineData("nine lilac umbrellas wait", "short", "new-password", "at least 15")]
    [InlineData("nine lilac umbrellas wait", "password password", "new-password", "tried first")]
    [InlineData("nine lilac umbrellas wait", "nine lilac umbrellas wait", "new-password", "the password you have")]
    public async Task A_password_is_changed_by_who_knows_it_and_for_a_good_one(string current, string chosen, string field, string why)
    {
        var person = await server.AddPersonAsync();
        var (other, _) = await server.EnterAsync(person);
        var (browser, page) = await server.EnterAsync(person, "/account/password");

        page = await ChangeAsync(browser, page, current, chosen);

        Assert.Equal("/account/password", page.Address.AbsolutePath);
        Assert.Contains(why, page.Document.QuerySelector($"#{field}-error")!.TextContent, StringComparison.Ordinal);
        Assert.All(page.Document.QuerySelectorAll("input[type=password]"), input => Assert.Null(input.GetAttribute("value")));
        Assert.Equal("/account", (await server.OpenAsync(other, "/account")).Address.AbsolutePath);
        Assert.Equal("/account", (await SignInAsync(person)).Address.AbsolutePath);
    }

    [Fact]
    public async Task Guesses_at_the_old_password_are_counted()
    {
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person, "/account/password");
        for (var guess = 0; guess < 10; guess++)
        {
            page = await ChangeAsync(browser, page, "not my old password", NewPassword);
            Assert.Equal(HttpStatusCode.OK, page.Status);
        }

        page = await ChangeAsync(browser, page, person.Password, NewPassword);

        Assert.Equal(HttpStatusCode.TooManyRequests, page.Status);
        Assert.Equal("30", page.Header("Retry-After"));
        Assert.Null((await server.FindAsync(person)).PasswordChangedAt);
    }

    [Theory]
    [InlineData("/account/password", "password")]
    [InlineData("/account/authenticator", "authenticator")]
    [InlineData("/account/recovery-codes", "recovery-codes")]
    [InlineData("/account/delete", "delete")]
    public async Task An_old_proof_is_no_proof_and_a_new_one_leads_back(string path, string name)
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var (browser, page) = await server.EnterAsync(person, path);
        Assert.Equal(path, page.Address.AbsolutePath);
        var before = await StateAsync(person);
        Clock.Advance(TimeSpan.FromMinutes(15));

        // 1 the form was open all the while
        var answer = await SendAsync(
            browser, page, null, ("current-password", person.Password), ("new-password", NewPassword), ("username", person.UserName), ("code", person.App!.Code));
        Assert.Equal(("/login", $"?to={name}"), (answer.Address.AbsolutePath, answer.Address.Query));
        Assert.Equal(before, await StateAsync(person));

        // 2 the page is not shown either
        page = await server.OpenAsync(browser, path);
        Assert.Equal(("/login", $"?to={name}"), (page.Address.AbsolutePath, page.Address.Query));

        // 3 whoever proves it again comes back to it
        Clock.Advance(TimeSpan.FromSeconds(30));
        page = await browser.SignInAsync(page, person, Ct);
        Assert.Equal(path, page.Address.AbsolutePath);
    }

    [Fact]
    public async Task Who_has_two_factors_shows_both_also_where_one_was_spared()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var browser = await RememberAsync(person);
        await SignOutAsync(browser);
        var page = await browser.SignInAsync(await server.OpenAsync(browser, "/account"), person with { App = null }, Ct);
        Assert.Equal("/account", page.Address.AbsolutePath);

        page = await server.OpenAsync(browser, "/account/password");

        Assert.Equal(("/login/code", "?to=password"), (page.Address.AbsolutePath, page.Address.Query));
        Clock.Advance(TimeSpan.FromSeconds(30));
        page = await browser.TypeCodeAsync(page, person.App!.Code, remember: false, Ct);
        Assert.Equal("/account/password", page.Address.AbsolutePath);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example")]
    [InlineData("../admin/keys")]
    [InlineData("Password")]
    public async Task A_proof_leads_nowhere_but_to_pages_that_have_a_name(string to)
    {
        var person = await server.AddPersonAsync();
        var browser = new Browser(server.Server.Http);

        var page = await browser.SignInAsync(await server.OpenAsync(browser, "/login?to=" + Uri.EscapeDataString(to)), person, Ct);

        Assert.Equal("/", page.Address.AbsolutePath);
    }

    [Fact]
    public async Task The_first_authenticator_brings_recovery_codes_and_counts_at_once()
    {
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person, "/account/authenticator");
        var before = browser.Cookies.Value("identity.session");

        var (app, shown) = await browser.EnrolAsync(page, Clock, Ct);

        var codes = TwoFactor.RecoveryCodesOn(shown);
        Assert.Equal(10, codes.Count);
        Assert.Equal("no-store", shown.Header("Cache-Control"));
        Assert.NotEqual(before, browser.Cookies.Value("identity.session"));
        page = await server.OpenAsync(browser, "/account/authenticator");
        Assert.Equal("/account/authenticator", page.Address.AbsolutePath);
        Assert.DoesNotContain(codes[0], page.Text, StringComparison.Ordinal);
        await using var db = await server.OpenAsync();
        var subject = (await server.FindAsync(person)).Id;
        Assert.Equal(AcrValues.Mfa, (await db.Sessions.SingleAsync(row => row.Subject == subject, Ct)).Acr);
        Assert.Equal(1, await MailsAsync(person, "factor_changed"));
        var next = new Browser(server.Server.Http);
        Clock.Advance(TimeSpan.FromSeconds(30));
        page = await next.SignInAsync(await server.OpenAsync(next, "/account"), person, Ct);
        Assert.Equal("/login/code", page.Address.AbsolutePath);
        Assert.Equal("/account", (await next.TypeCodeAsync(page, app.Code, remember: false, Ct)).Address.AbsolutePath);
    }

    [Fact]
    public async Task A_wrong_first_code_offers_the_same_secret_again()
    {
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person, "/account/authenticator");
        var app = TwoFactor.AppOn(page, Clock);

        page = await browser.TypeCodeAsync(page, "000000", remember: false, Ct);

        Assert.NotNull(page.Document.QuerySelector("#code-error"));
        Assert.Equal(app.Key, TwoFactor.AppOn(page, Clock).Key);
        page = await browser.TypeCodeAsync(page, app.Code, remember: false, Ct);
        Assert.Equal(10, TwoFactor.RecoveryCodesOn(page).Count);
    }

    [Fact]
    public async Task An_offer_made_to_somebody_else_is_worth_nothing()
    {
        var (thief, stolen) = await server.EnterAsync(await server.AddPersonAsync(), "/account/authenticator");
        var theirs = stolen.CodeForm!.Elements["offer"]!.GetAttribute("value");
        var app = TwoFactor.AppOn(stolen, Clock);
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person, "/account/authenticator");

        foreach (var offer in new[] { theirs, "", "nonsense", null })
        {
            var answer = await browser.SubmitAsync(
                page, page.CodeForm!, new Dictionary<string, string?>(StringComparer.Ordinal) { ["offer"] = offer, ["code"] = app.Code }, null, Ct);
            Assert.Equal("/account/authenticator", answer.Address.AbsolutePath);
        }

        await using var db = await server.OpenAsync();
        var subject = (await server.FindAsync(person)).Id;
        Assert.Equal(0, await db.Authenticators.CountAsync(row => row.Subject == subject, Ct));
    }

    [Fact]
    public async Task An_authenticator_gets_another_name_and_goes()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var (browser, page) = await server.EnterAsync(person, "/account/authenticator");

        page = await SendAsync(browser, page, "Rename", ("name", " 旧手机 <i> "));
        Assert.Contains(page.Document.QuerySelectorAll("bdi"), name => name.TextContent == "旧手机 <i>");
        page = await SendAsync(browser, page, "Rename", ("name", "\u0007"));
        Assert.Contains(page.Document.QuerySelectorAll("bdi"), name => name.TextContent == "旧手机 <i>");

        page = await SendAsync(browser, page, "Remove");

        Assert.Empty(FormsOf(page, "Remove"));
        Assert.Equal("/account", (await SignInAsync(person with { App = null })).Address.AbsolutePath);
        Assert.Equal(1, await MailsAsync(person, "factor_changed"));
    }

    [Fact]
    public async Task The_last_factor_of_somebody_who_must_have_one_stays()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        await server.ChangeAsync(person, user => user.RequiresSecondFactor = true);
        var (browser, page) = await server.EnterAsync(person, "/account/authenticator");

        page = await SendAsync(browser, page, "Remove");

        Assert.Contains("This app cannot be removed", page.Text, StringComparison.Ordinal);
        Assert.Single(FormsOf(page, "Remove"));
    }

    [Fact]
    public async Task Of_two_factors_removed_at_once_one_stays_with_somebody_who_must_have_one()
    {
        var person = await server.Server.GiveAppAsync(await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct), Ct);
        await server.ChangeAsync(person, user => user.RequiresSecondFactor = true);
        var (first, one) = await server.EnterAsync(person, "/account/authenticator");
        var (second, two) = await server.EnterAsync(person, "/account/authenticator");

        await Task.WhenAll(
            first.SubmitAsync(one, FormsOf(one, "Remove").First(), new Dictionary<string, string?>(), null, Ct),
            second.SubmitAsync(two, FormsOf(two, "Remove").Last(), new Dictionary<string, string?>(), null, Ct));

        await using var db = await server.OpenAsync();
        var subject = (await server.FindAsync(person)).Id;
        Assert.Equal(1, await db.Authenticators.CountAsync(row => row.Subject == subject, Ct));
    }

    [Fact]
    public async Task New_recovery_codes_replace_the_old_ones_and_are_shown_once()
    {
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person, "/account/authenticator");
        var (app, shown) = await browser.EnrolAsync(page, Clock, Ct);
        var old = TwoFactor.RecoveryCodesOn(shown);

        page = await SendAsync(browser, await server.OpenAsync(browser, "/account/recovery-codes"), null);

        var codes = TwoFactor.RecoveryCodesOn(page);
        Assert.Equal(10, codes.Count);
        Assert.Empty(codes.Intersect(old, StringComparer.Ordinal));
        Assert.Equal("no-store", page.Header("Cache-Control"));
        Assert.Empty(TwoFactor.RecoveryCodesOn(await server.OpenAsync(browser, "/account/recovery-codes")));
        Assert.DoesNotContain(codes[0].Replace("-", "", StringComparison.Ordinal), await server.Server.ReadDatabaseAsync(Ct), StringComparison.Ordinal);
        Assert.Equal("/login/recovery", (await RecoverAsync(person, old[0])).Address.AbsolutePath);
        Assert.Equal("/account", (await RecoverAsync(person, codes[0])).Address.AbsolutePath);
        Assert.NotNull(app);
        Assert.Equal(2, await MailsAsync(person, "factor_changed"));
    }

    [Fact]
    public async Task Without_a_factor_there_are_no_recovery_codes()
    {
        var (_, page) = await server.EnterAsync(await server.AddPersonAsync(), "/account/recovery-codes");

        Assert.Equal("/account", page.Address.AbsolutePath);
    }

    private static Task<Page> ChangeAsync(Browser browser, Page page, string current, string chosen) =>
        SendAsync(browser, page, null, ("current-password", current), ("new-password", chosen));

    private async Task<Page> SignInAsync(Person person)
    {
        var browser = new Browser(server.Server.Http);
        return await browser.SignInAsync(await server.OpenAsync(browser, "/account"), person, Ct);
    }

    private async Task<Page> RecoverAsync(Person person, string code)
    {
        var browser = new Browser(server.Server.Http);
        await browser.SignInAsync(await server.OpenAsync(browser, "/account"), person with { App = null }, Ct);
        var page = await server.OpenAsync(browser, "/login/recovery?to=account");
        return await browser.SubmitAsync(page, page.Forms.First(), new Dictionary<string, string?>(StringComparer.Ordinal) { ["recovery"] = code }, null, Ct);
    }

    private async Task<Browser> RememberAsync(Person person)
    {
        var browser = new Browser(server.Server.Http);
        Clock.Advance(TimeSpan.FromSeconds(30));
        var page = await browser.SignInAsync(await server.OpenAsync(browser, "/account"), person with { App = null }, Ct);
        await browser.TypeCodeAsync(page, person.App!.Code, remember: true, Ct);
        return browser;
    }

    private async Task SignOutAsync(Browser browser)
    {
        var page = await server.OpenAsync(browser, "/logout");
        await browser.SubmitAsync(page, page.Forms.First(), new Dictionary<string, string?>(), null, Ct);
    }

    private async Task<string> StateAsync(Person person)
    {
        var user = await server.FindAsync(person);
        await using var db = await server.OpenAsync();
        var codes = await db.RecoveryCodes.CountAsync(row => row.Subject == user.Id, Ct);
        var factors = await db.AuditEvents.CountAsync(row => row.Subject == user.Id && row.Type == AuditTypes.FactorAdded, Ct);
        return $"{user.PasswordHash} {codes} {factors}";
    }

    private async Task<int> MailsAsync(Person person, string kind)
    {
        var subject = (await server.FindAsync(person)).Id;
        await using var db = await server.OpenAsync();
        return await db.OutboxMails.CountAsync(mail => mail.Subject == subject && mail.Kind == kind, Ct);
    }
}
