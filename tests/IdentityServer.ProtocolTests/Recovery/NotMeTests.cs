using IdentityServer.Protocol.Audit;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Recovery;

public sealed class NotMeTests(MailingServer mailing) : RecoveryTest(mailing), IClassFixture<MailingServer>
{
    [Fact]
    public async Task A_sign_in_in_a_new_browser_is_mailed_and_a_known_one_is_not()
    {
        var (person, email) = await AddPersonAsync();
        var first = NewBrowser();
        await first.SignInAsync(await OpenAsync(first, "/login"), person, Ct);
        await first.SignInAsync(await OpenAsync(first, "/login?to=account"), person, Ct);
        Assert.Empty(Mails.TakeRest());

        Assert.True(await CanSignInAsync(person));

        var mail = await Mails.ReceiveAsync(email, Ct);
        Assert.Equal("New sign-in to your account · IdentityServer", mail.Subject);
        Assert.Contains("Where: 127.0.0.1", mail.Text, StringComparison.Ordinal);
        Assert.Empty(Mails.TakeRest());
    }

    [Fact]
    public async Task Not_me_ends_everything_and_bars_the_password_until_a_new_one_is_chosen_by_mail()
    {
        var (person, email) = await AddPersonAsync();
        var victim = NewBrowser();
        await victim.SignInAsync(await OpenAsync(victim, "/login"), person, Ct);
        var tokens = await App.SignInAsync(person, "openid offline_access", Ct);
        var link = await MailedLinkAsync(email, "/not-me");
        var subject = (await UserAsync(person.UserName)).Id;

        // In any browser, for days, and opening it changes nothing.
        Server.Clock.Advance(TimeSpan.FromMinutes(30));
        tokens = await App.RefreshAsync(tokens.RefreshToken!, Ct);
        var browser = NewBrowser();
        await browser.OpenAsync(link, Ct);
        await browser.OpenAsync(link, Ct);
        Assert.Equal(200, (await App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);

        var done = await FollowAsync(browser, link);

        Assert.Equal("/forgot-password", done.Address.AbsolutePath);
        Assert.Contains("Everything has ended", Words(done), StringComparison.Ordinal);
        Check.TokenError(await App.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await App.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
        Assert.DoesNotContain(person.UserName, Words(await OpenAsync(victim, "/")), StringComparison.Ordinal);
        Assert.False(await CanSignInAsync(person));
        AssertRefused(await browser.OpenAsync(link, Ct), "This link does not work any more");
        var audit = await AuditOfAsync(subject);
        Assert.Contains(audit, entry => entry is { Type: AuditTypes.PasswordBarred, Detail: "not_me" });
        Assert.Contains(audit, entry => entry is { Type: AuditTypes.PersonEnded, Detail: "not_me" });

        // The password that somebody else knows is no new one.
        await ForgetAsync(browser, person.UserName);
        var reset = await MailedLinkAsync(email, "/reset-password");
        var same = await FollowAsync(browser, reset, ("new-password", person.Password));
        Assert.Contains("Somebody else may know this password", Words(same), StringComparison.Ordinal);
        await FollowAsync(browser, reset, ("new-password", NewPassword));
        Assert.True(await CanSignInAsync(person with { Password = NewPassword }));
    }

    [Fact]
    public async Task Not_me_undoes_what_an_intruder_prepared_to_come_back()
    {
        var (person, email) = await AddPersonAsync();
        Assert.True(await CanSignInAsync(person));
        Server.Clock.Advance(TimeSpan.FromHours(1));

        // Somebody who knows the password adds a factor of their own and takes the address.
        var intruder = NewBrowser();
        await intruder.SignInAsync(await OpenAsync(intruder, "/login?to=account"), person, Ct);
        var link = await MailedLinkAsync(email, "/not-me");
        var (app, _) = await intruder.EnrolAsync(await OpenAsync(intruder, "/account/authenticator"), Server.Clock, Ct);
        var form = await OpenAsync(intruder, "/account/email");
        await intruder.SubmitAsync(form, FormOf(form), Answers(("email", "intruder@example.com")), null, Ct);
        await FollowAsync(intruder, await MailedLinkAsync("intruder@example.com", "/verify-email"));
        Assert.Equal("intruder@example.com", (await UserAsync(person.UserName)).Email);

        var browser = NewBrowser();
        Assert.Equal("/forgot-password", (await FollowAsync(browser, link)).Address.AbsolutePath);

        var user = await UserAsync(person.UserName);
        Assert.Equal((email, true), (user.Email, user.EmailConfirmed));
        await ForgetAsync(browser, person.UserName);
        await FollowAsync(browser, await MailedLinkAsync(email, "/reset-password"), ("new-password", NewPassword));
        Assert.True(await CanSignInAsync(person with { Password = NewPassword }), "The intruder's factor would be asked for.");
        Assert.NotNull(app);
    }

    [Fact]
    public async Task A_factor_of_the_persons_own_survives_not_me()
    {
        var (plain, email) = await AddPersonAsync();
        var person = await Server.GiveAppAsync(plain, Ct);
        Server.Clock.Advance(TimeSpan.FromHours(1));
        Assert.True(await CanSignInAsync(person));
        Server.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await CanSignInAsync(person));

        await FollowAsync(NewBrowser(), await MailedLinkAsync(email, "/not-me"));

        var browser = NewBrowser();
        await ForgetAsync(browser, person.UserName);
        await FollowAsync(browser, await MailedLinkAsync(email, "/reset-password"), ("new-password", NewPassword));
        var page = await browser.SignInAsync(await OpenAsync(browser, "/login"), plain with { Password = NewPassword }, Ct);
        Assert.Equal("/login/code", page.Address.AbsolutePath);
    }

    [Fact]
    public async Task The_link_in_an_earlier_mail_works_on_for_a_week()
    {
        var (person, email) = await AddPersonAsync();
        Assert.True(await CanSignInAsync(person));
        Assert.True(await CanSignInAsync(person));
        var first = await MailedLinkAsync(email, "/not-me");
        Assert.True(await CanSignInAsync(person));
        var second = await MailedLinkAsync(email, "/not-me");

        Server.Clock.Advance(TimeSpan.FromDays(6.9));
        Assert.Equal("/forgot-password", (await FollowAsync(NewBrowser(), first)).Address.AbsolutePath);
        Server.Clock.Advance(TimeSpan.FromDays(0.2));
        AssertRefused(await NewBrowser().OpenAsync(second, Ct), "This link does not work any more");
    }
}
