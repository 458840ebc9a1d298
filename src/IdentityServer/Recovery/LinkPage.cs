using IdentityServer.Errors;
using IdentityServer.Mail;
using IdentityServer.Protocol;
using IdentityServer.SignIn;
using IdentityServer.Storage.Mail;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Recovery;

/// <summary>
/// A page that a mailed link leads to. Opening it changes nothing, as mail programs open links too; its form does the deed, once.
/// </summary>
public abstract class LinkPage(IMailLinks links, BrowserCookie browser, MailRoute route, TimeProvider clock) : PageModel
{
    /// <summary>What makes the link secret.</summary>
    [BindProperty(Name = "code", SupportsGet = true)]
    public string? Code { get; set; }

    /// <summary>The request that waits.</summary>
    [BindProperty(Name = "handle", SupportsGet = true)]
    public string? Waiting { get; set; }

    protected MailLink Link { get; private set; } = null!;

    protected DateTimeOffset Now { get; } = clock.GetUtcNow();

    protected string? Address => HttpContext.Connection.RemoteIpAddress?.ToString();

    /// <summary>Finds the link.</summary>
    /// <returns>What to answer when it may not be used here, or not any more.</returns>
    protected async ValueTask<IActionResult?> FindAsync(string kind, CancellationToken ct)
    {
        if (!route.IsOn)
        {
            return NotFound();
        }

        if (Code is not { Length: 43 } code || await links.FindOpenAsync(Handle.HashOf(code), kind, Now, ct) is not { } link)
        {
            return this.Show(PageProblem.LinkClosed);
        }

        if (link.BrowserHash is { } hash && hash != browser.Find(HttpContext))
        {
            return this.Show(PageProblem.OtherBrowser);
        }

        Link = link;

        // Only the request that was waiting when the link was asked for.
        Waiting = Waiting is { } waiting && Handle.HashOf(waiting) == link.RequestHash ? waiting : null;
        return null;
    }
}
