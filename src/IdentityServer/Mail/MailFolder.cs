using System.Globalization;
using System.Net.Mail;

namespace IdentityServer.Mail;

/// <summary>Where mails go in Development when there is no mail server: into a folder, one file each, shown on the page <c>/mailbox</c>.</summary>
internal sealed class MailFolder(string path, MailAddress from) : IMailTransport
{
    public string Path => path;

    public async ValueTask<string?> SendAsync(Envelope envelope, CancellationToken ct)
    {
        // Written beside, then moved: whoever looks finds whole files.
        var work = System.IO.Path.Combine(path, $".new-{envelope.Id}");
        try
        {
            Directory.CreateDirectory(work);
            using var message = MailMessages.Of(envelope, from);
            using var client = new SmtpClient { DeliveryMethod = SmtpDeliveryMethod.SpecifiedPickupDirectory, PickupDirectoryLocation = work };
            await client.SendMailAsync(message, ct);
            File.Move(Directory.EnumerateFiles(work).Single(), System.IO.Path.Combine(path, NameOf(envelope)), overwrite: true);
            return null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or SmtpException or FormatException)
        {
            return SmtpTransport.Describe(error);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    /// <summary>The mails there are, the newest first.</summary>
    public IReadOnlyList<MailFile> List() => Directory.Exists(path)
        ? [.. Directory.EnumerateFiles(path, "*.eml")
            .OrderByDescending(file => System.IO.Path.GetFileName(file), StringComparer.Ordinal)
            .Take(100)
            .Select(MailFile.Read)
            .OfType<MailFile>()]
        : [];

    private static string NameOf(Envelope envelope) =>
        string.Create(CultureInfo.InvariantCulture, $"{envelope.At.UtcDateTime:yyyyMMdd'T'HHmmssfff}-{envelope.Id}.eml");
}
