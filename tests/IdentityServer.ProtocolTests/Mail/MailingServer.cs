using System.Globalization;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Mail;

/// <summary>A server with apps and people that mails, and the mail server it mails with.</summary>
public class MailingServer : AppServer
{
    public MailServer Mails { get; private set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        Mails = await MailServer.StartAsync(TestContext.Current.CancellationToken);
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        await Mails.DisposeAsync();
    }

    protected override void Configure(IDictionary<string, string?> settings)
    {
        settings["IdentityServer:Mail:From"] = "id@example.com";
        settings["IdentityServer:Mail:Smtp:Host"] = "127.0.0.1";
        settings["IdentityServer:Mail:Smtp:Port"] = Mails.Port.ToString(CultureInfo.InvariantCulture);
        settings["IdentityServer:Mail:Smtp:Tls"] = "None";
    }
}
