using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Asks whether to end the session, and how far, and ends it. Nobody is signed out by a link alone.</summary>
public sealed class LogoutModel(
    PausedRequests requests,
    PendingRequests pending,
    SessionCookie cookie,
    ISessionStore sessions,
    ClientDirectory clients,
    People people,
    Revoker revoker) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    /// <summary>
    /// How far: <see cref="OfApp"/>, where an app asked that was given something in the session; <see cref="Everywhere"/>; anything else ends
    /// the session of this browser.
    /// </summary>
    [BindProperty]
    public string? Reach { get; set; }

    public const string OfApp = "app";

    public const string Everywhere = "everywhere";

    /// <summary>The app that asked for the sign-out, if one did.</summary>
    public Client? App { get; private set; }

    /// <summary>Who is signed in; unknown when the account was disabled meanwhile.</summary>
    public Person? Person { get; private set; }

    /// <summary>The apps that were given something in this session.</summary>
    public IReadOnlyList<Client> Used { get; private set; } = [];

    /// <summary>The app that can be left alone.</summary>
    public Client? Leavable => Used.FirstOrDefault(used => used.Id == App?.Id);

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
            if (Reach == Everywhere)
            {
                await revoker.EndPersonAsync(session.Subject, exceptSessionId: null, change: null, cause, ct);
            }
            else if (!await LeaveAppAsync(session, cause, ct))
            {
                await revoker.EndSessionAsync(session.Id, session.Subject, alsoOffline: false, cause, ct);
            }
        }

        // Where this leads, the cookie still says which apps are to be told by the browser; there it is deleted.
        return new SeeOther(Links.ResumeSignOut(Request, Handle));
    }

    private async ValueTask<bool> LeaveAppAsync(Session session, Cause cause, CancellationToken ct)
    {
        if (Reach != OfApp
            || await requests.FindAsync(Handle, ct) is not { App: { } app } paused
            || await revoker.EndAppInSessionAsync(session.Id, session.Subject, app.Id, cause, ct) is null)
        {
            return false;
        }

        await pending.LeaveAsync(paused.Request, session.Id, ct);
        return true;
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
