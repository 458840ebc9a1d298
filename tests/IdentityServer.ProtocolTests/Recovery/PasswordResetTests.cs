using IdentityServer.Protocol.Audit;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Recovery;

public sealed class PasswordResetTests(MailingServer mailing) : RecoveryTest(mailing), IClassFixture<MailingServer>
{
    private const string Closed = "This link does not work any more";
    private const string Elsewhere = "Open this link in the other browser";

    [Fact]
    public async Task A_forgotten_password_is_replaced_by_mail_and_leads_back_to_the_app()
    {
        var (person, email) = await AddPersonAsync();
        var tokens = await App.SignInAsync(person, "openid offline_access", Ct);
        var elsewhere = NewBrowser();
        await elsewhere.SignInAsync(await OpenAsync(elsewhere, "/login"), person, Ct);
        var browser = NewBrowser();
        var attempt = App.Attempt();
        var login = (await App.AuthorizeAsync(browser, attempt, person: null, Ct)).Last;

        // The page for it is one link away, and remembers what waits.
        var forgot = login.Document.QuerySelectorAll("a").Single(link => link.TextContent == "Forgot your password?").GetAttribute("href")!;
        var sent = await ForgetAsync(browser, person.UserName, path: forgot);
        Assert.Equal("Check your e-mail", sent.Document.QuerySelector("h1")!.TextContent);
        var link = (await MailAsync(email, "Choose a new password")).LinkTo("/reset-password");

        // Opening it changes nothing, and tells nobody where it came from.
        var page = await browser.OpenAsync(link, Ct);
        Assert.Equal("no-referrer", page.Header("Referrer-Policy"));
        Assert.StartsWith("no-store", page.Header("Cache-Control"), StringComparison.Ordinal);
        await browser.OpenAsync(link, Ct);
        Assert.True(await CanSignInAsync(person));

        var done = await FollowAsync(browser, link, ("new-password", NewPassword));
        Assert.Equal("/login", done.Address.AbsolutePath);
        Assert.Contains("Your password is changed", Words(done), StringComparison.Ordinal);
        Assert.Null(browser.Cookies.Value("identity.session"));

        // Everything that the old one opened has ended.
        Check.TokenError(await App.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
        Assert.DoesNotContain(person.UserName, Words(await OpenAsync(elsewhere, "/")), StringComparison.Ordinal);
        Assert.False(await CanSignInAsync(person));

        var back = await browser.SignInAsync(done, person with { Password = NewPassword }, Ct);
        var walk = App.WalkOf(attempt, back);
        Assert.NotNull(walk.Answer?.Code);
        await App.ExchangeAsync(walk, Ct);

        await MailAsync(email, "Your password was changed");
        var audit = await AuditOfAsync((await UserAsync(person.UserName)).Id);
        Assert.Contains(audit, entry => entry is { Type: AuditTypes.PasswordChanged, Detail: "reset" });
        Assert.Contains(audit, entry => entry is { Type: AuditTypes.PersonEnded, Detail: "password_reset" });
        Assert.Contains(audit, entry => entry is { Type: AuditTypes.MailLinkAsked, Detail: "password_reset" });
        Assert.DoesNotContain(email, Server.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(link.Query.Split("code=")[1].Split('&')[0], Server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_works_once_in_its_own_browser_and_for_a_quarter_of_an_hour()
    {
        var (person, email) = await AddPersonAsync();
        var browser = NewBrowser();
        await ForgetAsync(browser, email);
        var link = await MailedLinkAsync(email, "/reset-password");

        AssertRefused(await NewBrowser().OpenAsync(link, Ct), Elsewhere);
        var stranger = NewBrowser();
        await ForgetAsync(stranger, "somebody-else");
        AssertRefused(await stranger.OpenAsync(link, Ct), Elsewhere);

        await FollowAsync(browser, link, ("new-password", NewPassword));
        AssertRefused(await browser.OpenAsync(link, Ct), Closed);

        await ForgetAsync(browser, email);
        link = await MailedLinkAsync(email, "/reset-password");
        var page = await browser.OpenAsync(link, Ct);
        Server.Clock.Advance(TimeSpan.FromMinutes(16));
        AssertRefused(await browser.OpenAsync(link, Ct), Closed);
        AssertRefused(await browser.SubmitAsync(page, FormOf(page), Answers(("new-password", "another lilac umbrella waits")), null, Ct), Closed);
        Assert.True(await CanSignInAsync(person with { Password = NewPassword }));
    }

    [Fact]
    public async Task A_later_mail_ends_the_link_in_the_earlier_one()
    {
        var (_, email) = await AddPersonAsync();
        var browser = NewBrowser();
        await ForgetAsync(browser, email);
        var first = await MailedLinkAsync(email, "/reset-password");
        await ForgetAsync(browser, email);
        var second = await MailedLinkAsync(email, "/reset-password");

        AssertRefused(await browser.OpenAsync(first, Ct), Closed);
        Assert.Equal(200, (int)(await browser.OpenAsync(second, Ct)).Status);
    }

    [Fact]
    public async Task Nobody_learns_whether_there_is_an_account()
    {
        var (person, email) = await AddPersonAsync();
        var (unproven, unprovenEmail) = await AddPersonAsync();
        await ChangeAsync(unproven.UserName, user => user.EmailConfirmed = false);
        var (disabled, disabledEmail) = await AddPersonAsync();
        await ChangeAsync(disabled.UserName, user => user.DisabledAt = Server.Clock.GetUtcNow());
        string[] typed = ["nobody@example.com", unprovenEmail, disabledEmail, "", new('x', 5000), "ü 汉", "a@b'\"<script>"];
        var browser = NewBrowser();
        var pages = new List<string>();
        foreach (var name in typed)
        {
            pages.Add(Words(await ForgetAsync(browser, name)));
            pages.Add(Words(await ForgetAsync(browser, name, "unlock")));
        }

        // What is asked for is seen to in turn: when this mail is here, there was none for the others.
        pages.Add(Words(await ForgetAsync(browser, person.UserName)));
        await Mails.ReceiveAsync(email, Ct);

        Assert.Single(pages.Distinct(StringComparer.Ordinal));
        Assert.Empty(Mails.TakeRest());
        Assert.DoesNotContain("nobody@example.com", Server.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Three_mails_an_hour_for_one_account_however_it_is_named_and_the_same_page_always()
    {
        var (person, email) = await AddPersonAsync();
        var browser = NewBrowser();
        var pages = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            pages.Add(Words(await ForgetAsync(browser, email)));
            pages.Add(Words(await ForgetAsync(browser, person.UserName.ToUpperInvariant())));
        }

        // Several mails are sent at once, in any order; requests are seen to one after another.
        var (_, other) = await AddPersonAsync();
        await ForgetAsync(browser, other);
        var mailed = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            mailed.Add((await Mails.ReceiveAsync(Ct)).To);
        }

        Assert.Equal(3, mailed.Count(to => to == email));
        Assert.Contains(other, mailed);
        Assert.Equal(3, await CountMailsAsync((await UserAsync(person.UserName)).Id));
        Assert.Single(pages.Distinct(StringComparer.Ordinal));

        Server.Clock.Advance(TimeSpan.FromHours(2.1));
        await ForgetAsync(browser, email);
        await Mails.ReceiveAsync(email, Ct);
    }

    [Fact]
    public async Task One_network_asks_for_so_many_mails_and_no_more()
    {
        var browser = NewBrowser();
        for (var i = 0; i < 30; i++)
        {
            await ForgetAsync(browser, $"nobody{i}");
        }

        var (person, email) = await AddPersonAsync();
        var page = await ForgetAsync(browser, person.UserName);

        Assert.Equal("Check your e-mail", page.Document.QuerySelector("h1")!.TextContent);
        Server.Clock.Advance(TimeSpan.FromMinutes(2));
        await ForgetAsync(browser, person.UserName);
        await Mails.ReceiveAsync(email, Ct);
        Assert.Empty(Mails.TakeRest());
    }

    [Fact]
    public async Task A_weak_password_is_refused_and_the_link_stays()
    {
        var (person, email) = await AddPersonAsync();
        var browser = NewBrowser();
        await ForgetAsync(browser, email);
        var link = await MailedLinkAsync(email, "/reset-password");
        foreach (var weak in new[] { "", "short", "passwordpassword", person.UserName + person.UserName, new('ü', 300) })
        {
            var refused = await FollowAsync(browser, link, ("new-password", weak));
            Assert.Equal(200, (int)refused.Status);
            Assert.Equal("true", refused.Document.QuerySelector("#new-password")!.GetAttribute("aria-invalid"));
            Assert.True(weak.Length == 0 || !refused.Text.Contains($"value=\"{weak}\"", StringComparison.Ordinal));
        }

        Assert.Equal("/login", (await FollowAsync(browser, link, ("new-password", NewPassword))).Address.AbsolutePath);
    }

    [Fact]
    public async Task Of_many_resets_with_one_link_at_once_one_is_done()
    {
        var (person, email) = await AddPersonAsync();
        var browser = NewBrowser();
        await ForgetAsync(browser, email);
        var page = await browser.OpenAsync(await MailedLinkAsync(email, "/reset-password"), Ct);
        string[] passwords = [.. Enumerable.Range(0, 6).Select(i => $"seven marble teapots whistling {i}")];

        var answers = await Task.WhenAll(passwords.Select(password =>
            browser.SubmitAsync(page, FormOf(page), Answers(("new-password", password)), null, Ct)));

        var winner = Assert.Single(answers.Index(), answer => answer.Item.Address.AbsolutePath == "/login").Index;
        Assert.All(answers.Where((_, i) => i != winner), answer => AssertRefused(answer, Closed));
        Assert.True(await CanSignInAsync(person with { Password = passwords[winner] }));
    }

    [Fact]
    public async Task A_link_for_one_thing_is_good_for_no_other_and_dies_with_its_address()
    {
        var (person, email) = await AddPersonAsync();
        var browser = NewBrowser();
        await ForgetAsync(browser, email, "unlock");
        var unlock = await MailedLinkAsync(email, "/unlock");
        AssertRefused(await OpenAsync(browser, "/reset-password" + unlock.Query), Closed);
        AssertRefused(await OpenAsync(browser, "/not-me" + unlock.Query), Closed);
        AssertRefused(await OpenAsync(browser, "/verify-email" + unlock.Query), Closed);

        await ForgetAsync(browser, email);
        var reset = await MailedLinkAsync(email, "/reset-password");
        await ChangeAsync(person.UserName, user => (user.Email, user.NormalizedEmail) = ("x" + email, ("x" + email).ToUpperInvariant()));
        AssertRefused(await browser.OpenAsync(reset, Ct), Closed);
    }

    [Theory]
    [InlineData("/reset-password")]
    [InlineData("/reset-password?code=")]
    [InlineData("/reset-password?code=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("/unlock?code=%00")]
    [InlineData("/not-me?code=x&code=y")]
    [InlineData("/verify-email?code=%F0%9F%98%80")]
    public async Task What_is_no_link_changes_nothing_and_says_so(string path) =>
        AssertRefused(await OpenAsync(NewBrowser(), path), Closed);

    [Fact]
    public async Task A_form_of_another_site_does_nothing()
    {
        var (_, email) = await AddPersonAsync();
        var browser = NewBrowser();
        await ForgetAsync(browser, email);
        var link = await MailedLinkAsync(email, "/reset-password");

        var forged = await browser.PostFromElsewhereAsync(link, [new("new-password", NewPassword)], Ct);
        var asked = await browser.PostFromElsewhereAsync(new Uri(Server.Address, "/forgot-password"), [new("username", email)], Ct);

        Assert.Equal((400, 400), ((int)forged.Status, (int)asked.Status));
        Assert.Equal(200, (int)(await browser.OpenAsync(link, Ct)).Status);
    }

    [Fact]
    public async Task A_request_that_waits_is_not_smuggled_into_somebody_else_s_link()
    {
        var (person, email) = await AddPersonAsync();
        var browser = NewBrowser();
        await ForgetAsync(browser, email);
        var link = await MailedLinkAsync(email, "/reset-password");
        var other = (await App.AuthorizeAsync(NewBrowser(), App.Attempt(), person: null, Ct)).Last.Address.Query;

        var done = await FollowAsync(browser, new Uri(link.AbsoluteUri + "&" + other.TrimStart('?')), ("new-password", NewPassword));

        Assert.Equal("/login", done.Address.AbsolutePath);
        Assert.DoesNotContain("handle=", done.Address.Query, StringComparison.Ordinal);
        Assert.True(await CanSignInAsync(person with { Password = NewPassword }));
    }
}
