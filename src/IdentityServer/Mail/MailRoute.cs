using System.Net.Mail;
using System.Text;
using IdentityServer.Configuration;

namespace IdentityServer.Mail;

/// <summary>How mail leaves this server, if it does: to the mail server that the settings name, or in Development into a folder.</summary>
public sealed class MailRoute
{
    internal MailRoute(IMailTransport? transport)
    {
        Transport = transport;
    }

    /// <summary>True when there is a way. Pages offer nothing that needs a mail while there is none.</summary>
    public bool IsOn => Transport is not null;

    internal IMailTransport? Transport { get; }

    internal MailFolder? Folder => Transport as MailFolder;

    internal static MailRoute Of(ServerSettings settings, IHostEnvironment environment)
    {
        var mail = settings.Mail;
        return mail.Smtp.Host.Length > 0 ? new(new SmtpTransport(mail.Smtp, From(settings)))
            : environment.IsDevelopment() ? new(new MailFolder(mail.Folder, From(settings)))
            : new(transport: null);
    }

    private static MailAddress From(ServerSettings settings) =>
        new(settings.Mail.From, settings.Mail.FromName.Length > 0 ? settings.Mail.FromName : settings.Brand.Name, Encoding.UTF8);
}
