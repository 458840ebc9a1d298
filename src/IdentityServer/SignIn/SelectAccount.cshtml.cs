using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Pending;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Asks which account to use: the one that is signed in, or one that this browser remembers.</summary>
public sealed class SelectAccountModel(
    PausedRequests requests, PendingRequests pending, SessionCookie cookie, People people, RememberedAccounts remembered) : PageModel
{
    private PausedRequest _paused = null!;

    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    /// <summary>The subject of the account that was picked.</summary>
    [BindProperty]
    public string? Account { get; set; }

    public Client? App => _paused.App;

    /// <summary>The subject that is signed in.</summary>
    public string? SignedIn { get; private set; }

    public bool HasRemembered { get; private set; }

    public IReadOnlyList<RememberedAccount> Accounts { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await FindAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var session = await cookie.FindSessionAsync(HttpContext, ct);
        var person = session is null ? null : await people.FindAsync(session.Subject, ct);
        var others = remembered.Read(HttpContext);
        SignedIn = person?.Subject;
        HasRemembered = others.Count > 0;
        Accounts = person is null
            ? others
            : [new(person.Subject, person.UserName, person.Name), .. others.Where(other => other.Subject != person.Subject)];
        return Accounts.Count == 0 ? new SeeOther(Links.Login(Request, Handle)) : Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await FindAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        if (await cookie.FindSessionAsync(HttpContext, ct) is { } session && session.Subject == Account)
        {
            await pending.ChooseAsync(_paused.Request, session.Id, ct);
            return new SeeOther(Links.Resume(Request, Handle));
        }

        var known = remembered.Read(HttpContext).FirstOrDefault(account => account.Subject == Account);
        new LoginDraft(known?.UserName, IsKept: known is not null, IsRefused: false).Save(TempData);
        return new SeeOther(Links.Login(Request, Handle));
    }

    public IActionResult OnPostForget()
    {
        remembered.Forget(HttpContext);
        return new SeeOther(Links.SelectAccount(Request, Handle));
    }

    private async ValueTask<IActionResult?> FindAsync(CancellationToken ct)
    {
        if (await requests.FindAsync(Handle, ct) is not { } paused)
        {
            return this.Show(PageProblem.Expired);
        }

        _paused = paused;
        return null;
    }
}
