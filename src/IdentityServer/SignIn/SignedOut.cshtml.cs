using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Says that the session has ended, when no app wants the person back.</summary>
public sealed class SignedOutModel(PausedRequests requests, SessionCookie cookie) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    public Client? App { get; private set; }

    /// <summary>The app's own address, when it registered one.</summary>
    public string? AppAddress => Brand.IsLink(App?.ClientUri) ? App!.ClientUri : null;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        // This page must not say what is not so.
        if (await cookie.FindSessionAsync(HttpContext, ct) is not null)
        {
            return new SeeOther(Links.To(Request, "/", null));
        }

        App = (await requests.FindAsync(Handle, ct))?.App;
        return Page();
    }
}
