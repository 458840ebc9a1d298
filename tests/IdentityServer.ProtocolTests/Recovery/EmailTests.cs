using IdentityServer.Protocol.Audit;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Recovery;

public sealed class EmailTests(MailingServer mailing) : RecoveryTest(mailing), IClassFixture<MailingServer>
{
    [Fact]
    public async Task An_address_is_proven_by_following_the_link_that_went_there()
    {
        var (person, email) = await AddPersonAsync();
        await ChangeAsync(person.UserName, user => user.EmailConfirmed = false);
        var browser = await SignedInAsync(person);

        var sent = await AskAsync(browser, email);
        Assert.Equal("/check-mail", sent.Address.AbsolutePath);
        var link = await MailedLinkAsync(email, "/verify-email");
        await browser.OpenAsync(link, Ct);
        Assert.False((await UserAsync(person.UserName)).EmailConfirmed);

        // On whatever device the mail is read.
        var done = await FollowAsync(NewBrowser(), link);

        Assert.Equal("Your e-mail address is confirmed", done.Document.QuerySelector("h1")!.TextContent);
        var user = await UserAsync(person.UserName);
        Assert.True(user.EmailConfirmed);
        Assert.Contains(await AuditOfAsync(user.Id), entry => entry.Type == AuditTypes.EmailVerified);
        AssertRefused(await NewBrowser().OpenAsync(link, Ct), "This link does not work any more");
        Assert.Empty(Mails.TakeRest());
    }

    [Fact]
    public async Task Another_address_takes_effect_when_it_is_proven_and_the_old_one_is_told()
    {
        var (person, email) = await AddPersonAsync();
        var browser = await SignedInAsync(person);
        await ForgetAsync(browser, email);
        var reset = await MailedLinkAsync(email, "/reset-password");
        var other = "new." + email;

        await AskAsync(browser, other);
        var link = await MailedLinkAsync(other, "/verify-email");
        Assert.Equal(email, (await UserAsync(person.UserName)).Email);
        await FollowAsync(NewBrowser(), link);

        var user = await UserAsync(person.UserName);
        Assert.Equal((other, true), (user.Email, user.EmailConfirmed));
        var notice = await Mails.ReceiveAsync(email, Ct);
        Assert.Equal("Your e-mail address was changed · IdentityServer", notice.Subject);
        Assert.DoesNotContain(other, notice.Raw + notice.Text, StringComparison.Ordinal);
        Assert.Contains(await AuditOfAsync(user.Id), entry => entry.Type == AuditTypes.EmailChanged);

        // What was on its way to the old one opens nothing any more.
        AssertRefused(await browser.OpenAsync(reset, Ct), "This link does not work any more");
        await ForgetAsync(browser, email);
        Server.Clock.Advance(TimeSpan.FromHours(3));
        await ForgetAsync(browser, person.UserName);
        Assert.Equal(other, (await Mails.ReceiveAsync(Ct)).To);
    }

    [Fact]
    public async Task An_address_of_somebody_else_is_not_taken_and_nobody_learns_of_it()
    {
        var (_, taken) = await AddPersonAsync();
        var (person, email) = await AddPersonAsync();
        var browser = await SignedInAsync(person);

        var sent = await AskAsync(browser, taken);
        Assert.Equal("/check-mail", sent.Address.AbsolutePath);
        var link = await MailedLinkAsync(taken, "/verify-email");

        AssertRefused(await FollowAsync(browser, link), "This link does not work any more");
        Assert.Equal(email, (await UserAsync(person.UserName)).Email);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no address")]
    [InlineData("a@example.com\r\nBcc: b@example.com")]
    [InlineData("a@example.com, b@example.com")]
    public async Task What_is_no_address_is_refused(string typed)
    {
        var (person, _) = await AddPersonAsync();
        var browser = await SignedInAsync(person);

        var refused = await AskAsync(browser, typed);

        Assert.Equal("true", refused.Document.QuerySelector("#email")!.GetAttribute("aria-invalid"));
        Assert.Empty(Mails.TakeRest());
    }

    [Fact]
    public async Task It_takes_a_fresh_proof_and_can_be_asked_for_three_times_an_hour()
    {
        var (person, email) = await AddPersonAsync();
        var browser = await SignedInAsync(person);
        for (var i = 0; i < 3; i++)
        {
            await AskAsync(browser, email);
            await Mails.ReceiveAsync(email, Ct);
        }

        Assert.Equal(429, (int)(await AskAsync(browser, email)).Status);
        Server.Clock.Advance(TimeSpan.FromMinutes(16));
        var stale = await OpenAsync(browser, "/account/email");
        Assert.Equal("/login", stale.Address.AbsolutePath);
        Assert.Equal("/account/email", (await browser.SignInAsync(stale, person, Ct)).Address.AbsolutePath);
        Assert.Equal("/login", (await OpenAsync(NewBrowser(), "/account/email")).Address.AbsolutePath);
    }

    private async Task<Browser> SignedInAsync(Person person)
    {
        var browser = NewBrowser();
        await browser.SignInAsync(await OpenAsync(browser, "/login"), person, Ct);
        return browser;
    }

    private async Task<Page> AskAsync(Browser browser, string email)
    {
        var page = await OpenAsync(browser, "/account/email");
        return await browser.SubmitAsync(page, FormOf(page), Answers(("email", email)), null, Ct);
    }
}
