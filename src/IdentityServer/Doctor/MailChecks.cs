using System.Net.Sockets;
using System.Text;
using IdentityServer.Commands;
using IdentityServer.Configuration;
using IdentityServer.Mail;
using IdentityServer.Storage.Mail;

namespace IdentityServer.Doctor;

/// <summary>Whether there is a mail server and it answers, and whether mails were given up. Sends nothing.</summary>
internal static class MailChecks
{
    private const string Server = "mail";
    private const string Outbox = "mail-outbox";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task<Finding> LookAtServerAsync(
        MailSettings settings, bool isWrong, bool isDevelopment, CancellationToken ct)
    {
        if (isWrong)
        {
            return Finding.NotLookedAt(Server, "settings");
        }

        var smtp = settings.Smtp;
        if (smtp.Host.Length == 0)
        {
            return isDevelopment
                ? Finding.Ok(Server, $"Mails go into the folder {settings.Folder}; the page /mailbox shows them.")
                : Finding.Warn(
                    Server,
                    "Mail is off: nobody can reset a forgotten password or confirm an address, and nobody hears of a strange sign-in.",
                    "Set IdentityServer:Mail:Smtp:Host and IdentityServer:Mail:From (docs/mail.md).");
        }

        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
            patience.CancelAfter(Patience);
            await SmtpTransport.PasswordAsync(smtp, ct);
            return await GreetAsync(smtp, patience.Token);
        }
        catch (Exception error) when (error is SocketException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            ct.ThrowIfCancellationRequested();
            return Finding.Fail(
                Server,
                error is OperationCanceledException
                    ? $"{smtp.Host}:{smtp.Port} said nothing within {Patience.TotalSeconds:0} s."
                    : $"{smtp.Host}:{smtp.Port} cannot be used: {error.Message}",
                "Start the mail server, or correct IdentityServer:Mail:Smtp:Host, Port and PasswordFile. Mails wait meanwhile.");
        }
    }

    public static async Task<Finding> LookAtOutboxAsync(CommandSession? session, string? because, CancellationToken ct)
    {
        if (session is null || because is not null)
        {
            return Finding.NotLookedAt(Outbox, because ?? "settings");
        }

        try
        {
            var counts = await session.Get<IOutbox>().CountAsync(session.Now, ct);
            return counts.Dead > 0
                ? Finding.Warn(Outbox, $"{counts.Dead} mail(s) were given up, {counts.Waiting} wait.", "See why, and try again: identityserver mail status")
                : Finding.Ok(Outbox, $"No mail was given up, {counts.Waiting} wait.");
        }
        catch (Exception error) when (DatabaseChecks.FaultOf(error) is not null)
        {
            return Finding.NotLookedAt(Outbox, "database");
        }
    }

    private static async Task<Finding> GreetAsync(SmtpSettings smtp, CancellationToken ct)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(smtp.Host, smtp.Port, ct);
        await using var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var greeting = await ReplyAsync(reader, ct);
        await stream.WriteAsync("EHLO doctor\r\n"u8.ToArray(), ct);
        var offers = await ReplyAsync(reader, ct);
        await stream.WriteAsync("QUIT\r\n"u8.ToArray(), ct);

        return !greeting.StartsWith("220", StringComparison.Ordinal)
            ? Finding.Fail(Server, $"{smtp.Host}:{smtp.Port} does not greet as a mail server does.", "Correct IdentityServer:Mail:Smtp:Host and Port.")
            : smtp.Tls == SmtpTls.StartTls && !offers.Contains("STARTTLS", StringComparison.OrdinalIgnoreCase)
                ? Finding.Fail(
                    Server,
                    $"{smtp.Host}:{smtp.Port} offers no STARTTLS, so it gets no mail.",
                    "Give it a certificate, use its port for submission (587), or set IdentityServer:Mail:Smtp:Tls to None where nobody else reads the network.")
                : Finding.Ok(Server, $"{smtp.Host}:{smtp.Port} greets{(smtp.Tls == SmtpTls.StartTls ? " and offers STARTTLS" : "")}.");
    }

    // RFC 5321 §4.2.1: the last line has a space after the number.
    private static async Task<string> ReplyAsync(StreamReader reader, CancellationToken ct)
    {
        var reply = new StringBuilder();
        while (reply.Length < 10_000 && await reader.ReadLineAsync(ct) is { } line)
        {
            reply.AppendLine(line);
            if (line.Length < 4 || line[3] == ' ')
            {
                break;
            }
        }

        return reply.ToString();
    }
}
