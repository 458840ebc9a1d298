using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.EndSession;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>
/// Says that the session has ended, or that the person left one app, when no app wants the person back, or when apps are to be told by this
/// browser: those are loaded in frames nobody sees, and then the person is sent on.
/// </summary>
public sealed class SignedOutModel(PausedRequests requests, SessionCookie cookie, FrontChannel frontChannel) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    public Client? App { get; private set; }

    /// <summary>The session goes on: the person left the app alone.</summary>
    public bool GoesOn { get; private set; }

    /// <summary>What is loaded in frames: the front-channel logout addresses of the apps of the session.</summary>
    public IReadOnlyList<string> Frames { get; private set; } = [];

    /// <summary>Back to where the app asked for.</summary>
    public string? Onward { get; private set; }

    /// <summary>The app's own address, when it registered one.</summary>
    public string? AppAddress => Brand.IsLink(App?.ClientUri) ? App!.ClientUri : null;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        var session = await cookie.FindSessionAsync(HttpContext, ct);
        var paused = await requests.FindAsync(Handle, ct);
        App = paused?.App;
        GoesOn = App is not null && session is not null && paused?.Request.LeftSessionId == session.Id;

        // This page must not say what is not so.
        if (session is not null && !GoesOn)
        {
            return new SeeOther(Links.To(Request, "/", null));
        }

        Onward = App is null || paused?["post_logout_redirect_uri"] is null ? null
            : GoesOn ? Links.ResumeSignOutTold(Request, paused.Handle)
            : Links.ResumeSignOut(Request, Handle);
        Frames = GoesOn ? frontChannel.List(App!, session!) : await frontChannel.ListAsync(cookie.ReadHandle(HttpContext), ct);
        if (Frames.Count > 0)
        {
            var origins = Frames.Select(frame => RedirectUriRules.OriginOf(frame)).Distinct(StringComparer.Ordinal);
            Response.Headers.ContentSecurityPolicy = $"{Response.Headers.ContentSecurityPolicy}; frame-src {string.Join(' ', origins)}";
        }

        if (!GoesOn)
        {
            cookie.Delete(HttpContext);
        }

        return Page();
    }
}
