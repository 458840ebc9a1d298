using System.Net.Mail;
using System.Net.Mime;
using System.Text;

namespace IdentityServer.Mail;

/// <summary>Letters as the mail system wants them (RFC 5322, RFC 2045).</summary>
internal static class MailMessages
{
    public static MailMessage Of(Envelope envelope, MailAddress from)
    {
        var letter = envelope.Letter;
        var message = new MailMessage
        {
            From = from,

            // A line break would begin another header; the class refuses it too, but a mail that is never sent helps nobody.
            Subject = string.Concat(letter.Subject.Select(character => char.IsControl(character) ? ' ' : character)),
            SubjectEncoding = Encoding.UTF8,
            HeadersEncoding = Encoding.UTF8,
        };
        message.To.Add(new MailAddress(letter.To));
        message.Headers.Add("Message-ID", $"<{envelope.MessageId}>");

        // RFC 3834 §5: nobody's holiday shall answer.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.AlternateViews.Add(View(letter.Text, MediaTypeNames.Text.Plain));
        message.AlternateViews.Add(View(letter.Html, MediaTypeNames.Text.Html));
        return message;
    }

    private static AlternateView View(string text, string type)
    {
        var view = AlternateView.CreateAlternateViewFromString(text, Encoding.UTF8, type);
        view.TransferEncoding = TransferEncoding.Base64;
        return view;
    }
}
