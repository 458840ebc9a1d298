using IdentityServer.Protocol.Audit;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Recovery;

public sealed class RegistrationTests(RegistrationTests.OpenServer server) : RecoveryTest(server), IClassFixture<RegistrationTests.OpenServer>
{
    private const string Closed = "This link does not work any more";

    [Fact]
    public async Task Somebody_new_gets_an_account_by_mail_and_is_back_at_the_app()
    {
        var email = NewEmail();
        var browser = NewBrowser();
        var attempt = App.Attempt("openid profile email");
        var login = (await App.AuthorizeAsync(browser, attempt, person: null, Ct)).Last;
        var register = login.Document.QuerySelectorAll("a").Single(link => link.TextContent == "Open an account").GetAttribute("href")!;

        var sent = await AskAsync(browser, email, register);
        Assert.Equal("Check your e-mail", sent.Document.QuerySelector("h1")!.TextContent);
        var link = await MailedLinkAsync(email, "/register/finish");
        await browser.OpenAsync(link, Ct);
        AssertRefused(await NewBrowser().OpenAsync(link, Ct), "Open this link in the other browser");

        var page = await FollowAsync(browser, link, ("name", " <b>Nora</b> 诺拉 "), ("new-password", NewPassword));

        var walk = App.WalkOf(attempt, page);
        var tokens = await App.ExchangeAsync(walk, Ct);
        var claims = (await App.UserInfoAsync(tokens.AccessToken!, Ct)).Json!;
        Assert.Equal((email, true, "<b>Nora</b> 诺拉", email), ((string)claims["email"]!, (bool)claims["email_verified"]!, (string)claims["name"]!, (string)claims["preferred_username"]!));
        Assert.Contains("&lt;b>Nora", (await OpenAsync(browser, "/")).Text.Replace("&gt;", ">", StringComparison.Ordinal), StringComparison.Ordinal);
        AssertRefused(await browser.OpenAsync(link, Ct), Closed);
        Assert.True(await CanSignInAsync(new Person(email.ToUpperInvariant(), NewPassword)));
        Assert.Contains(await AuditOfAsync((await UserAsync(email)).Id), entry => entry is { Type: AuditTypes.UserAdded, Detail: "registered" });
    }

    [Fact]
    public async Task An_address_that_has_an_account_gets_the_same_page_and_another_mail()
    {
        var (_, email) = await AddPersonAsync();
        var browser = NewBrowser();

        var known = await AskAsync(browser, email);
        var unknown = await AskAsync(browser, NewEmail());

        Assert.Equal(Words(unknown), Words(known));
        var mail = await Mails.ReceiveAsync(email, Ct);
        Assert.Equal("You have an account already · IdentityServer", mail.Subject);
        Assert.Equal("/login", mail.LinkTo("/login").AbsolutePath);
    }

    [Fact]
    public async Task Of_many_that_finish_with_one_link_at_once_one_has_the_account()
    {
        var email = NewEmail();
        var browser = NewBrowser();
        await AskAsync(browser, email);
        var page = await browser.OpenAsync(await MailedLinkAsync(email, "/register/finish"), Ct);

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => browser.SubmitAsync(
            page, FormOf(page), Answers(("name", $"Nora {i}"), ("new-password", NewPassword)), null, Ct)));

        Assert.Single(answers, answer => answer.Address.AbsolutePath == "/");
        Assert.Equal(4, answers.Count(answer => (int)answer.Status == 400));
        Assert.Empty(Server.Log.Errors);
    }

    [Fact]
    public async Task Two_links_for_one_address_make_one_account()
    {
        var email = NewEmail();
        var (one, other) = (NewBrowser(), NewBrowser());
        await AskAsync(one, email);
        var first = await MailedLinkAsync(email, "/register/finish");
        var page = await one.OpenAsync(first, Ct);
        await AskAsync(other, email.ToUpperInvariant());
        var second = await MailedLinkAsync(email.ToUpperInvariant(), "/register/finish");
        await FollowAsync(other, second, ("name", "Nora"), ("new-password", NewPassword));

        AssertRefused(await one.SubmitAsync(page, FormOf(page), Answers(("name", "Nora"), ("new-password", NewPassword)), null, Ct), Closed);
        Assert.Empty(Server.Log.Errors);
    }

    [Fact]
    public async Task A_weak_password_and_a_name_that_is_none_are_refused_and_the_link_stays()
    {
        var email = NewEmail();
        var browser = NewBrowser();
        await AskAsync(browser, email);
        var link = await MailedLinkAsync(email, "/register/finish");

        var refused = await FollowAsync(browser, link, ("name", "a\u202eb"), ("new-password", email));

        Assert.Equal(2, refused.Document.QuerySelectorAll("[aria-invalid=true]").Length);
        Assert.StartsWith("Error:", refused.Document.Title, StringComparison.Ordinal);
        Assert.Equal("/", (await FollowAsync(browser, link, ("name", "Nora"), ("new-password", NewPassword))).Address.AbsolutePath);
    }

    [Theory]
    [InlineData("")]
    [InlineData("nora")]
    [InlineData("nora@example.com\r\nBcc: all@example.com")]
    public async Task What_is_no_address_is_refused(string typed)
    {
        var refused = await AskAsync(NewBrowser(), typed);

        Assert.Equal("true", refused.Document.QuerySelector("#email")!.GetAttribute("aria-invalid"));
        Assert.Empty(Mails.TakeRest());
    }

    private static string NewEmail() => $"n{Guid.NewGuid():N}"[..14] + "@example.org";

    private async Task<Page> AskAsync(Browser browser, string email, string path = "/register")
    {
        var page = await OpenAsync(browser, path);
        return await browser.SubmitAsync(page, FormOf(page), Answers(("email", email)), null, Ct);
    }

    /// <summary>Where people may register.</summary>
    public sealed class OpenServer : MailingServer
    {
        protected override void Configure(IDictionary<string, string?> settings)
        {
            base.Configure(settings);
            settings["IdentityServer:Accounts:Registration"] = "true";
        }
    }
}
