using IdentityServer.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting.Internal;

namespace IdentityServer.ProtocolTests.Configuration;

public sealed class MailSettingsTests
{
    [Fact]
    public void Without_settings_there_is_no_mail_server_and_Development_has_a_folder()
    {
        var mail = Read("Development").Mail;

        Assert.Equal(("", "/srv/app/data/mail", "identity@localhost"), (mail.Smtp.Host, mail.Folder, mail.From));
    }

    [Fact]
    public void A_mail_server_needs_little()
    {
        var mail = Read("Development", "Smtp:Host=mail.example.com", "From=id@example.com", "Smtp:UserName=u", "Smtp:PasswordFile=secret").Mail;

        Assert.Equal((587, SmtpTls.StartTls, "/srv/app/secret", TimeSpan.FromSeconds(30)), (mail.Smtp.Port, mail.Smtp.Tls, mail.Smtp.PasswordFile, mail.Smtp.Timeout));
        Assert.Equal(" x ", Read("Development", "Smtp:Host=h", "From=a@b", "Smtp:UserName=u", "Smtp:Password= x ").Mail.Smtp.Password);
        Assert.Equal(SmtpTls.None, Read("Development", "Smtp:Host=10.0.0.5", "From=a@b", "Smtp:Tls=none").Mail.Smtp.Tls);
        Assert.Equal(SmtpTls.None, Read("Development", "Smtp:Host=localhost", "From=a@b", "Smtp:Tls=None", "Smtp:UserName=u", "Smtp:Password=p").Mail.Smtp.Tls);
    }

    [Theory]
    [InlineData("From", "is missing", "Smtp:Host=h")]
    [InlineData("From", "Allowed", "Smtp:Host=h", "From=hush")]
    [InlineData("From", "Allowed", "Smtp:Host=h", "From=Id <id@example.com>")]
    [InlineData("FromName", "control", "FromName=a\nb")]
    [InlineData("FromName", "longer", "FromName=1234567890123456789012345678901234567890123456789012345678901")]
    [InlineData("Smtp:Host", "Allowed", "Smtp:Host=mail.example.com:25", "From=a@b")]
    [InlineData("Smtp:Host", "Allowed", "Smtp:Host=smtp://mail", "From=a@b")]
    [InlineData("Smtp:Host", "is missing", "Smtp:UserName=u")]
    [InlineData("Smtp:Host", "is missing", "Smtp:Password=hush")]
    [InlineData("Smtp:Port", "1 to 65535", "Smtp:Host=h", "From=a@b", "Smtp:Port=0")]
    [InlineData("Smtp:Port", "1 to 65535", "Smtp:Host=h", "From=a@b", "Smtp:Port=65536")]
    [InlineData("Smtp:Port", "whole number", "Smtp:Host=h", "From=a@b", "Smtp:Port=smtp")]
    [InlineData("Smtp:Timeout", "00:02:00", "Smtp:Host=h", "From=a@b", "Smtp:Timeout=00:00:00")]
    [InlineData("Smtp:Timeout", "00:02:00", "Smtp:Host=h", "From=a@b", "Smtp:Timeout=00:02:01")]
    [InlineData("Smtp:Tls", "StartTls, None", "Smtp:Host=h", "From=a@b", "Smtp:Tls=Ssl")]
    [InlineData("Smtp:Tls", "in the clear", "Smtp:Host=mail.example.com", "From=a@b", "Smtp:Tls=None", "Smtp:UserName=u", "Smtp:Password=hush")]
    [InlineData("Smtp:UserName", "belong together", "Smtp:Host=h", "From=a@b", "Smtp:UserName=u")]
    [InlineData("Smtp:UserName", "belong together", "Smtp:Host=h", "From=a@b", "Smtp:Password=hush")]
    [InlineData("Smtp:PasswordFile", "Remove one", "Smtp:Host=h", "From=a@b", "Smtp:UserName=u", "Smtp:Password=hush", "Smtp:PasswordFile=f")]
    public void What_cannot_work_is_refused_and_no_secret_repeated(string key, string reason, params string[] settings)
    {
        var error = Assert.Throws<SettingsException>(() => Read("Development", settings));

        var problem = Assert.Single(error.Problems);
        Assert.Equal($"IdentityServer:Mail:{key}", problem.Key);
        Assert.Contains(reason, problem.Fault, StringComparison.Ordinal);
        Assert.True(key == "From" || !error.Message.Contains("hush", StringComparison.Ordinal));
    }

    private static ServerSettings Read(string environment, params string[] settings) => SettingsReader.Read(
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2))
                .Select(pair => KeyValuePair.Create($"IdentityServer:Mail:{pair[0]}", (string?)pair[1])))
            .Build(),
        new HostingEnvironment { EnvironmentName = environment, ApplicationName = "identityserver", ContentRootPath = "/srv/app" });
}
