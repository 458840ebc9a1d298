using System.Net;
using System.Net.Mail;
using System.Net.Sockets;
using System.Security.Authentication;
using IdentityServer.Configuration;

namespace IdentityServer.Mail;

/// <summary>
/// Hands mails to a mail server (RFC 5321). With <see cref="SmtpTls.StartTls"/> nothing is said before the connection is encrypted and the
/// server's certificate is good; a server that does not offer it gets no mail.
/// </summary>
internal sealed class SmtpTransport(SmtpSettings settings, MailAddress from) : IMailTransport
{
    public async ValueTask<string?> SendAsync(Envelope envelope, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);

        // Real time, also under a test's clock: it is about a connection.
        patience.CancelAfter(settings.Timeout);
        try
        {
            using var message = MailMessages.Of(envelope, from);
            using var client = new SmtpClient(settings.Host, settings.Port)
            {
                EnableSsl = settings.Tls == SmtpTls.StartTls,
                Credentials = settings.UserName.Length > 0
                    ? new NetworkCredential(settings.UserName, await PasswordAsync(settings, ct))
                    : null,
            };
            await client.SendMailAsync(message, patience.Token).WaitAsync(patience.Token);
            return null;
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return $"The mail server did not answer within {settings.Timeout.TotalSeconds:0} s.";
        }
        catch (Exception error) when (error is SmtpException or SocketException or IOException or AuthenticationException
            or UnauthorizedAccessException or FormatException)
        {
            return Describe(error);
        }
    }

    /// <summary>The password, read anew each time, so that it can be changed without a restart.</summary>
    public static async ValueTask<string> PasswordAsync(SmtpSettings settings, CancellationToken ct)
    {
        if (settings.PasswordFile.Length == 0)
        {
            return settings.Password;
        }

        var text = await File.ReadAllTextAsync(settings.PasswordFile, ct);
        return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2] : text.EndsWith('\n') ? text[..^1] : text;
    }

    /// <summary>What went wrong, from the outside in, without any address.</summary>
    public static string Describe(Exception error)
    {
        var reasons = new List<string>();
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            var reason = cause is SmtpException { StatusCode: not SmtpStatusCode.GeneralFailure } refused
                ? $"{(int)refused.StatusCode}: {refused.Message}"
                : cause.Message;
            reasons.Add(MailAddresses.Without(reason.ReplaceLineEndings(" ").Trim()));
        }

        return string.Join(" ", reasons.Distinct(StringComparer.Ordinal));
    }
}
