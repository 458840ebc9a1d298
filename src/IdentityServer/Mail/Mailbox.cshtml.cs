using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Mail;

/// <summary>What would have been mailed, for whoever develops against this server. Not there outside of Development, nor where mail is sent.</summary>
public sealed class MailboxModel(MailRoute route, IHostEnvironment environment) : PageModel
{
    /// <summary>The one to read, by the name of its file.</summary>
    [BindProperty(Name = "mail", SupportsGet = true)]
    public string? Name { get; set; }

    internal IReadOnlyList<MailFile> Mails { get; private set; } = [];

    internal MailFile? Mail { get; private set; }

    public string Folder => route.Folder!.Path;

    public IActionResult OnGet()
    {
        if (!environment.IsDevelopment() || route.Folder is not { } folder)
        {
            return NotFound();
        }

        // Found among what is there: no path is made from what was sent.
        Mails = folder.List();
        Mail = Mails.FirstOrDefault(mail => mail.Name == Name);
        return Name is not null && Mail is null ? NotFound() : Page();
    }

    /// <summary>The text in pieces; those that are addresses of this server can be followed.</summary>
    internal static IEnumerable<(string Text, bool IsLink)> Pieces(string text, string issuer)
    {
        for (var at = 0; at < text.Length;)
        {
            var link = text.IndexOf(issuer + "/", at, StringComparison.Ordinal);
            if (link < 0)
            {
                yield return (text[at..], false);
                yield break;
            }

            var end = link;
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            yield return (text[at..link], false);
            yield return (text[link..end], true);
            at = end;
        }
    }
}
