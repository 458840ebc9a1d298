using System.Net;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Audit;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using static IdentityServer.ProtocolTests.Account.AccountServer;

namespace IdentityServer.ProtocolTests.Account;

/// <summary>What people see and change of their own account.</summary>
public sealed class AccountTests(AccountServer server) : IClassFixture<AccountServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private MutableClock Clock => server.Server.Clock;

    [Theory]
    [InlineData("/account")]
    [InlineData("/account/profile")]
    [InlineData("/account/password")]
    [InlineData("/account/authenticator")]
    [InlineData("/account/recovery-codes")]
    [InlineData("/account/delete")]
    [InlineData("/account/data.json")]
    public async Task Nobody_gets_in_without_signing_in(string path)
    {
        var page = await server.OpenAsync(new Browser(server.Server.Http), path);

        Assert.Equal("/login", page.Address.AbsolutePath);
        Assert.NotNull(page.SignInForm);
    }

    [Fact]
    public async Task The_overview_says_who_how_and_where()
    {
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person);

        Assert.StartsWith("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
        Assert.Contains($"{person.UserName}@example.com", page.Text, StringComparison.Ordinal);
        Assert.Equal("A browser on Linux", page.Document.QuerySelector("#sessions tbody th")!.TextContent.Trim());
        Assert.Contains("This one", page.Document.QuerySelector("#sessions tbody")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", page.Document.QuerySelector("#sessions tbody")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("/account/email", (await server.OpenAsync(browser, page.Document.QuerySelector("#profile a[href*=email]")!.GetAttribute("href")!)).Address.AbsolutePath);
        var home = await server.OpenAsync(browser, "/");
        Assert.Contains(home.Document.QuerySelectorAll("a"), link => link.GetAttribute("href") == "/account");
    }

    [Fact]
    public async Task Few_recovery_codes_are_a_warning()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);

        var (_, page) = await server.EnterAsync(person);

        Assert.Contains("0 of 10 left", page.Document.QuerySelector("#sign-in .status.warn")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_profile_is_told_to_apps_with_its_time()
    {
        var person = await server.AddPersonAsync();
        var tokens = await server.App.SignInAsync(person, "openid profile", Ct);
        var before = (await server.App.UserInfoAsync(tokens.AccessToken!, Ct)).Json!;
        var (browser, page) = await server.EnterAsync(person, "/account/profile");

        page = await SendAsync(browser, page, null, ("name", "  爱丽丝 <b>O'Neill</b> "), ("given-name", ""), ("family-name", "Ó Néill"), ("locale", "zh-Hans"));

        Assert.Equal("/account", page.Address.AbsolutePath);
        Assert.Contains("Your profile was changed.", page.Text, StringComparison.Ordinal);
        Assert.Equal("爱丽丝 <b>O'Neill</b>", page.Document.QuerySelector("h1")!.TextContent);
        var after = (await server.App.UserInfoAsync(tokens.AccessToken!, Ct)).Json!;
        Assert.Equal(("爱丽丝 <b>O'Neill</b>", "Ó Néill", "zh-Hans"), ((string)after["name"]!, (string)after["family_name"]!, (string)after["locale"]!));
        Assert.Null(after["given_name"]);
        Assert.True((long)after["updated_at"]! > (long)before["updated_at"]!);
        Assert.Equal("profile", (await EventsAsync(person, AuditTypes.UserChanged)).Single().Detail);
    }

    [Theory]
    [InlineData("name", "a\u0007b")]
    [InlineData("given-name", "a\u202eb")]
    [InlineData("family-name", null)]
    public async Task A_name_that_deceives_or_never_ends_is_refused_and_what_was_typed_comes_back(string field, string? value)
    {
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person, "/account/profile");
        var before = await server.FindAsync(person);

        var answer = (field, value ?? new string('x', 257));
        page = await SendAsync(browser, page, null, field == "name" ? [answer] : [("name", "Kept"), answer]);

        Assert.Equal("/account/profile", page.Address.AbsolutePath);
        Assert.Equal("true", page.Document.QuerySelector("#" + field)!.GetAttribute("aria-invalid"));
        Assert.StartsWith("Error:", page.Document.Title, StringComparison.Ordinal);
        Assert.True(field == "name" || page.Document.QuerySelector("#name")!.GetAttribute("value") == "Kept");
        var after = await server.FindAsync(person);
        Assert.Equal((before.Name, before.GivenName, before.UpdatedAt), (after.Name, after.GivenName, after.UpdatedAt));
    }

    [Fact]
    public async Task A_language_nobody_offered_changes_nothing_and_one_from_elsewhere_is_kept()
    {
        var person = await server.AddPersonAsync();
        await server.ChangeAsync(person, user => user.Locale = "de-AT");
        var (browser, page) = await server.EnterAsync(person, "/account/profile");
        Assert.NotNull(page.Document.QuerySelector("option[value='de-AT'][selected]"));

        await SendAsync(browser, page, null, ("locale", "<script>"));

        Assert.Equal("de-AT", (await server.FindAsync(person)).Locale);
    }

    [Fact]
    public async Task Another_session_is_ended_with_everything_given_in_it()
    {
        var person = await server.AddPersonAsync();
        var elsewhere = new Browser(server.Server.Http);
        var tokens = await server.App.ExchangeAsync(
            await server.App.AuthorizeAsync(elsewhere, server.App.Attempt("openid offline_access"), person, Ct), Ct);
        var (browser, page) = await server.EnterAsync(person);
        Assert.Contains("The app app", page.Document.QuerySelector("#sessions")!.TextContent, StringComparison.Ordinal);

        page = await SendAsync(browser, page, "EndSession");

        Assert.Contains("The session has ended.", page.Text, StringComparison.Ordinal);
        Assert.Empty(FormsOf(page, "EndSession"));
        Assert.Equal("/login", (await server.OpenAsync(elsewhere, "/account")).Address.AbsolutePath);
        Check.TokenError(await server.App.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await server.App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
    }

    [Fact]
    public async Task All_other_sessions_are_ended_and_this_one_goes_on()
    {
        var person = await server.AddPersonAsync();
        var (first, _) = await server.EnterAsync(person);
        var (second, _) = await server.EnterAsync(person);
        var (browser, page) = await server.EnterAsync(person);

        await SendAsync(browser, page, "EndOthers");

        Assert.Equal("/account", (await server.OpenAsync(browser, "/account")).Address.AbsolutePath);
        Assert.Equal("/login", (await server.OpenAsync(first, "/account")).Address.AbsolutePath);
        Assert.Equal("/login", (await server.OpenAsync(second, "/account")).Address.AbsolutePath);
    }

    [Fact]
    public async Task What_is_somebody_elses_stays_as_it_is_and_the_answer_does_not_say_whose_it_was()
    {
        var victim = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var theirs = await RememberAsync(victim);
        var session = await OnlySessionAsync(victim);
        var device = await OnlyDeviceAsync(victim);
        var app = await AuthenticatorAsync(victim);
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        await server.EnterAsync(person);
        await RememberAsync(person);
        var (browser, page) = await server.EnterAsync(person);
        var apps = await server.OpenAsync(browser, "/account/authenticator");

        foreach (var (form, handler, id) in new[]
        {
            (page, "EndSession", session), (page, "AskAgain", device), (page, "Forget", device), (apps, "Rename", app), (apps, "Remove", app),
        })
        {
            var theirsAnswer = await SendAsync(browser, form, handler, ("id", id), ("name", "stolen"));
            var nobodysAnswer = await SendAsync(browser, form, handler, ("id", "nobody-has-this-id"), ("name", "stolen"));
            var noAnswer = await SendAsync(browser, form, handler, ("id", null), ("name", "stolen"));
            Assert.Equal(HttpStatusCode.OK, theirsAnswer.Status);
            Assert.Equal(Shown(theirsAnswer), Shown(nobodysAnswer));
            Assert.Equal(Shown(theirsAnswer), Shown(noAnswer));
        }

        Assert.Equal("/account", (await server.OpenAsync(theirs, "/account")).Address.AbsolutePath);
        Assert.Equal((session, device, app), (await OnlySessionAsync(victim), await OnlyDeviceAsync(victim), await AuthenticatorAsync(victim)));
        await using var db = await server.OpenAsync();
        Assert.NotNull((await db.Devices.SingleAsync(row => row.Id == device, Ct)).RememberedUntil);
        Assert.Equal("Phone", (await db.Authenticators.SingleAsync(row => row.Id == app, Ct)).Name);
    }

    [Fact]
    public async Task A_device_is_asked_for_a_code_again_and_then_forgotten()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var remembered = await RememberAsync(person);
        var (browser, page) = await server.EnterAsync(person);

        page = await SendAsync(browser, page, "AskAgain");

        Assert.Empty(FormsOf(page, "AskAgain"));
        Assert.Equal("factor", (await EventsAsync(person, AuditTypes.DeviceForgotten)).Single().Detail);
        await SignOutAsync(remembered);
        var asked = await remembered.SignInAsync(await server.OpenAsync(remembered, "/account"), person with { App = null }, Ct);
        Assert.Equal("/login/code", asked.Address.AbsolutePath);
        var count = FormsOf(page, "Forget").Count();
        page = await SendAsync(browser, page, "Forget");
        Assert.Equal(count - 1, FormsOf(page, "Forget").Count());
    }

    [Fact]
    public async Task An_app_that_is_removed_loses_everything_and_has_to_ask_again()
    {
        var person = await server.AddPersonAsync();
        var other = await server.AddPersonAsync();
        var tokens = await server.Asking.SignInAsync(person, "openid profile offline_access", Ct);
        var others = await server.Asking.SignInAsync(other, "openid profile offline_access", Ct);
        var unrelated = await server.App.SignInAsync(person, "openid offline_access", Ct);
        var (browser, page) = await server.EnterAsync(person);
        Assert.Contains("The app asking", page.Document.QuerySelector("#apps")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("Your name and profile", page.Document.QuerySelector("#apps")!.TextContent, StringComparison.Ordinal);

        page = await SendAsync(browser, page, "RemoveApp", ("id", "asking"));

        Assert.DoesNotContain("The app asking", page.Document.QuerySelector("#apps")!.TextContent, StringComparison.Ordinal);
        Check.TokenError(await server.Asking.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await server.Asking.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
        Assert.Equal(200, (await server.Asking.UserInfoAsync(others.AccessToken!, Ct)).Status);
        Assert.Equal(200, (await server.App.UserInfoAsync(unrelated.AccessToken!, Ct)).Status);
        Assert.Equal("asking", (await EventsAsync(person, AuditTypes.ConsentRemoved)).Single().ClientId);
        var walk = await server.Asking.AuthorizeAsync(browser, server.Asking.Attempt(), person, Ct);
        Assert.Equal((0, 1), (walk.SignIns, walk.Consents));
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("")]
    [InlineData("a b\"c")]
    public async Task An_app_that_nobody_let_in_is_removed_without_harm(string id)
    {
        var person = await server.AddPersonAsync();
        await server.Asking.SignInAsync(person, "openid offline_access", Ct);
        var (browser, page) = await server.EnterAsync(person);

        page = await SendAsync(browser, page, "RemoveApp", ("id", id));

        Assert.Contains("The app asking", page.Document.QuerySelector("#apps")!.TextContent, StringComparison.Ordinal);
        Assert.Empty(await EventsAsync(person, AuditTypes.ConsentRemoved));
    }

    [Fact]
    public async Task The_download_holds_everything_about_the_person_and_no_secret()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        await server.Asking.SignInAsync(person, "openid profile offline_access", Ct);
        var (browser, _) = await server.EnterAsync(person);
        var stranger = await server.AddPersonAsync();
        await server.Asking.SignInAsync(stranger, "openid", Ct);

        var file = await server.OpenAsync(browser, "/account/data.json");

        Assert.Equal(("application/json", "no-store"), (file.MediaType, file.Header("Cache-Control")));
        Assert.Matches("^attachment; filename=\"?account-[0-9-]+\\.json", file.Header("Content-Disposition")!);
        var data = file.Json!;
        var user = await server.FindAsync(person);
        Assert.Equal((user.Id, user.Email), ((string)data["profile"]!["sub"]!, (string)data["profile"]!["email"]!));
        Assert.Equal("Asia/Shanghai", (string)data["profile"]!["more_claims"]!["zoneinfo"]!);
        Assert.Equal("Phone", (string)data["authenticators"]![0]!["name"]!);
        Assert.Equal("asking", (string)data["consents"]![0]!["client_id"]!);
        Assert.Equal("asking", (string)data["grants"]![0]!["client_id"]!);
        Assert.Equal(2, ((JsonArray)data["sessions"]!).Count);
        Assert.NotEmpty((JsonArray)data["devices"]!);
        Assert.Contains((JsonArray)data["events"]!, entry => (string)entry!["type"]! == AuditTypes.SignedIn);
        Assert.DoesNotContain(stranger.UserName, file.Text, StringComparison.Ordinal);
        Assert.DoesNotContain((await server.FindAsync(stranger)).Id, file.Text, StringComparison.Ordinal);

        // Whatever the rows hold that proves something.
        await using var db = await server.OpenAsync();
        var secrets = new List<string> { user.PasswordHash!, user.SecurityStamp!, person.App!.Key.Replace(" ", "", StringComparison.Ordinal) };
        secrets.AddRange(await db.Authenticators.Where(row => row.Subject == user.Id).Select(row => row.SealedSecret).ToListAsync(Ct));
        secrets.AddRange(await db.Devices.Where(row => row.Subject == user.Id).Select(row => row.BrowserHash).ToListAsync(Ct));
        secrets.AddRange(await db.Sessions.Where(row => row.Subject == user.Id).Select(row => EF.Property<string>(row, "HandleHash")).ToListAsync(Ct));
        secrets.AddRange(await db.Tokens.Where(row => db.Grants.Any(grant => grant.Id == row.GrantId && grant.Subject == user.Id)).Select(row => row.Hash).ToListAsync(Ct));
        secrets.AddRange(browser.Cookies.All.Select(cookie => cookie.Value));
        Assert.True(secrets.Count > 6);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, file.Text, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/account?handler=EndSession")]
    [InlineData("/account?handler=EndOthers")]
    [InlineData("/account?handler=AskAgain")]
    [InlineData("/account?handler=Forget")]
    [InlineData("/account?handler=RemoveApp")]
    [InlineData("/account/profile")]
    [InlineData("/account/password")]
    [InlineData("/account/authenticator")]
    [InlineData("/account/authenticator?handler=Rename")]
    [InlineData("/account/authenticator?handler=Remove")]
    [InlineData("/account/recovery-codes")]
    [InlineData("/account/delete")]
    public async Task A_form_of_another_site_does_nothing(string path)
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var remembered = await RememberAsync(person);
        var (browser, _) = await server.EnterAsync(person);
        var before = await StateAsync(person);
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["id"] = path.Contains("authenticator", StringComparison.Ordinal) ? await AuthenticatorAsync(person) : (await server.FindAsync(person)).Id,
            ["name"] = "Mallory",
            ["username"] = person.UserName,
            ["current-password"] = person.Password,
            ["new-password"] = "seven violet anchors rest",
        };

        var answer = await browser.PostFromElsewhereAsync(new Uri(server.Server.Address, path), fields, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.Equal(before, await StateAsync(person));

        // The same, as if the browser had sent its cookies along: what is missing then is the form's own token.
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Server.Address, path));
        request.Content = new FormUrlEncodedContent(fields);
        Assert.Equal(HttpStatusCode.BadRequest, (await browser.SendAsync(request, Ct)).Status);
        Assert.Equal(before, await StateAsync(person));
        Assert.Equal("/account", (await server.OpenAsync(remembered, "/account")).Address.AbsolutePath);
    }

    private static string Shown(Page page) => page.Document.QuerySelector("[role=status]")?.TextContent ?? "";

    private async Task<string> StateAsync(Person person)
    {
        await using var db = await server.OpenAsync();
        var user = await server.FindAsync(person);
        var factors = await db.Authenticators.Where(row => row.Subject == user.Id).Select(row => row.Name).ToListAsync(Ct);
        var codes = await db.RecoveryCodes.CountAsync(row => row.Subject == user.Id, Ct);
        var sessions = await db.Sessions.CountAsync(row => row.Subject == user.Id && row.EndedAt == null, Ct);
        var devices = await db.Devices.CountAsync(row => row.Subject == user.Id && row.RememberedUntil != null, Ct);
        return $"{user.PasswordHash} {user.Name} {string.Join(',', factors)} {codes} {sessions} {devices}";
    }

    /// <summary>A browser that the person told to remember them.</summary>
    private async Task<Browser> RememberAsync(Person person)
    {
        var browser = new Browser(server.Server.Http);
        Clock.Advance(TimeSpan.FromSeconds(30));
        var page = await browser.SignInAsync(await server.OpenAsync(browser, "/account"), person with { App = null }, Ct);
        page = await browser.TypeCodeAsync(page, person.App!.Code, remember: true, Ct);
        Assert.Equal("/account", page.Address.AbsolutePath);
        return browser;
    }

    private async Task SignOutAsync(Browser browser)
    {
        var page = await server.OpenAsync(browser, "/logout");
        await browser.SubmitAsync(page, page.Forms.First(), new Dictionary<string, string?>(), null, Ct);
    }

    private async Task<string> OnlySessionAsync(Person person)
    {
        var id = (await server.FindAsync(person)).Id;
        await using var db = await server.OpenAsync();
        return (await db.Sessions.SingleAsync(row => row.Subject == id && row.EndedAt == null, Ct)).Id;
    }

    private async Task<string> OnlyDeviceAsync(Person person)
    {
        var id = (await server.FindAsync(person)).Id;
        await using var db = await server.OpenAsync();
        return (await db.Devices.SingleAsync(row => row.Subject == id, Ct)).Id;
    }

    private async Task<string> AuthenticatorAsync(Person person)
    {
        var id = (await server.FindAsync(person)).Id;
        await using var db = await server.OpenAsync();
        return (await db.Authenticators.SingleAsync(row => row.Subject == id, Ct)).Id;
    }

    private async Task<IReadOnlyList<AuditEvent>> EventsAsync(Person person, string type)
    {
        var id = (await server.FindAsync(person)).Id;
        await using var db = await server.OpenAsync();
        return await db.AuditEvents.Where(audit => audit.Subject == id && audit.Type == type).ToListAsync(Ct);
    }
}
