using System.Net;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Recovery;

/// <summary>What is off is not there, and nothing points to it.</summary>
public sealed class ClosedTests(AppServer apps) : AppServerTest(apps)
{
    [Theory]
    [InlineData("/forgot-password")]
    [InlineData("/check-mail")]
    [InlineData("/reset-password?code=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("/unlock")]
    [InlineData("/not-me")]
    [InlineData("/verify-email")]
    [InlineData("/account/email")]
    [InlineData("/register")]
    [InlineData("/register/finish")]
    public async Task Without_mail_there_are_no_pages_for_it(string path) =>
        Assert.Equal(HttpStatusCode.NotFound, (await Server.FetchAsync(path, Ct)).Status);

    [Fact]
    public async Task Without_mail_the_sign_in_offers_none_of_it()
    {
        var login = await Server.FetchAsync("/login", Ct);

        Assert.DoesNotContain("forgot-password", login.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("register", login.Text, StringComparison.Ordinal);
    }
}

/// <summary>Registration is off unless somebody turned it on.</summary>
public sealed class RegistrationIsOffTests(MailingServer mailing) : RecoveryTest(mailing), IClassFixture<MailingServer>
{
    [Fact]
    public async Task Without_the_setting_nobody_registers()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await OpenAsync(NewBrowser(), "/register")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await OpenAsync(NewBrowser(), "/register/finish")).Status);
        var login = await OpenAsync(NewBrowser(), "/login");
        Assert.Contains("forgot-password", login.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("/register", login.Text, StringComparison.Ordinal);
    }
}
