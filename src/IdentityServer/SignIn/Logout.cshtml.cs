using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Asks whether to end the session, and ends it. Nobody is signed out by a link alone.</summary>
public sealed class LogoutModel(
    PausedRequests requests,
    SessionCookie cookie,
    ISessionStore sessions,
    ClientDirectory clients,
    People people,
    Revoker revoker) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    /// <summary><c>yes</c>: all of the person's sessions end, not this browser's alone.</summary>
    [BindProperty]
    public string? Everywhere { get; set; }

    /// <summary>The app that asked for the sign-out, if one did.</summary>
    public Client? App { get; private set; }

    /// <summary>Who is signed in; unknown when the account was disabled meanwhile.</summary>
    public Person? Person { get; private set; }

    /// <summary>The apps that were given something in this session.</summary>
    public IReadOnlyList<Client> Used { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        var paused = await requests.FindAsync(Handle, ct);
        if (paused is null && Handle is not null)
        {
            return this.Show(PageProblem.Expired);
        }

        if (await cookie.FindSessionAsync(HttpContext, ct) is not { } session)
        {
            return new SeeOther(Links.ResumeSignOut(Request, Handle));
        }

        App = paused?.App;
        Person = await people.FindAsync(session.Subject, ct);
        Used = await UsedAsync(session, ct);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await cookie.FindSessionAsync(HttpContext, ct) is { } session)
        {
            var cause = new Cause(
                "signed_out", "user:" + session.Subject, HttpContext.Connection.RemoteIpAddress?.ToString());
            if (Everywhere == "yes")
            {
                await revoker.EndPersonAsync(session.Subject, exceptSessionId: null, change: null, cause, ct);
            }
            else
            {
                await revoker.EndSessionAsync(session.Id, session.Subject, alsoOffline: false, cause, ct);
            }
        }

        // Where this leads, the cookie still says which apps are to be told by the browser; there it is deleted.
        return new SeeOther(Links.ResumeSignOut(Request, Handle));
    }

    private async ValueTask<IReadOnlyList<Client>> UsedAsync(Session session, CancellationToken ct)
    {
        var used = new List<Client>();
        foreach (var id in await sessions.ListClientsAsync(session.Id, ct))
        {
            if (await clients.FindAsync(id, ct) is { } client)
            {
                used.Add(client);
            }
        }

        return used;
    }
}
