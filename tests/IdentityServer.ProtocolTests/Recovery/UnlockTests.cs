using IdentityServer.Protocol.Audit;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Recovery;

public sealed class UnlockTests(MailingServer mailing) : RecoveryTest(mailing), IClassFixture<MailingServer>
{
    [Theory]
    [InlineData("unlock")]
    [InlineData("reset")]
    public async Task Who_is_locked_out_gets_in_again_by_mail(string what)
    {
        var (person, email) = await AddPersonAsync();
        var browser = NewBrowser();
        var page = await OpenAsync(browser, "/login");
        for (var i = 0; i < 6; i++)
        {
            page = await browser.SignInAsync(await OpenAsync(browser, "/login"), person with { Password = "wrong wrong wrong" }, Ct);
        }

        Assert.Equal(429, (int)page.Status);
        Assert.False(await CanSignInAsync(person));

        await ForgetAsync(browser, person.UserName, what);
        var link = await MailedLinkAsync(email, what == "unlock" ? "/unlock" : "/reset-password");
        await browser.OpenAsync(link, Ct);
        Assert.False(await CanSignInAsync(person));
        var done = what == "unlock" ? await FollowAsync(browser, link) : await FollowAsync(browser, link, ("new-password", NewPassword));

        Assert.Equal("/login", done.Address.AbsolutePath);
        Assert.True(await CanSignInAsync(what == "unlock" ? person : person with { Password = NewPassword }));
        AssertRefused(await browser.OpenAsync(link, Ct), "This link does not work any more");
        if (what == "unlock")
        {
            Assert.Contains("Your account is unlocked", Words(done), StringComparison.Ordinal);
            Assert.Contains(await AuditOfAsync((await UserAsync(person.UserName)).Id), entry => entry.Type == AuditTypes.UnlockedByMail);
        }
    }
}
