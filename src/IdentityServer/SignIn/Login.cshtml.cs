using System.Globalization;
using IdentityServer.Errors;
using IdentityServer.Layout;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Why the sign-in page is shown again.</summary>
public enum LoginProblem
{
    /// <summary>One answer for a wrong name, a wrong password, a locked and a disabled account.</summary>
    Refused,

    /// <summary>Too many sign-ins at this moment.</summary>
    Busy,
}

/// <summary>Asks for user name and password. Also serves without a paused request: then the home page or the console comes next.</summary>
public sealed class LoginModel(
    PausedRequests requests, SignInFlow signIn, SessionCookie cookie, People people) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    /// <summary>Where to go without a paused request: <see cref="Links.ConsoleName"/>, or home.</summary>
    [BindProperty(SupportsGet = true)]
    public string? To { get; set; }

    [BindProperty]
    public string? UserName { get; set; }

    [BindProperty]
    public string? Password { get; set; }

    [BindProperty]
    public string? Keep { get; set; }

    public PausedRequest? Paused { get; private set; }

    public LoginProblem? Problem { get; private set; }

    public bool IsRefused => Problem is LoginProblem.Refused;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (!await FindPausedAsync(ct))
        {
            return this.Show(PageProblem.Expired);
        }

        var session = await cookie.FindSessionAsync(HttpContext, ct);
        if (Handle is null && session is not null && !IsForConsole)
        {
            return new SeeOther(Links.To(Request, "/", null));
        }

        var draft = LoginDraft.Take(TempData);
        Problem = draft is { IsRefused: true } ? LoginProblem.Refused : null;
        Keep = draft is { IsKept: true } ? "on" : null;
        UserName = draft?.UserName ?? Paused?["login_hint"];
        if (UserName is null && session is not null)
        {
            UserName = (await people.FindAsync(session.Subject, ct))?.UserName;
        }

        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (!await FindPausedAsync(ct))
        {
            return this.Show(PageProblem.Expired);
        }

        var isKept = Keep is not null;
        switch (await signIn.SignInAsync(UserName ?? "", Password ?? "", isKept, HttpContext, ct))
        {
            case SignInOutcome.SignedIn:
                return new SeeOther(IsForConsole ? Links.Console(Request) : Links.Resume(Request, Handle));

            case SignInOutcome.Busy:
                Response.StatusCode = StatusCodes.Status429TooManyRequests;
                Response.Headers.RetryAfter = SignInFlow.BusySeconds.ToString(CultureInfo.InvariantCulture);
                Problem = LoginProblem.Busy;
                return Page();

            default:
                new LoginDraft(UserName, isKept, IsRefused: true).Save(TempData);
                return new SeeOther(IsForConsole ? Links.LoginToConsole(Request) : Links.Login(Request, Handle));
        }
    }

    // Also for somebody who is signed in: the console wants a fresh proof.
    private bool IsForConsole => Handle is null && To == Links.ConsoleName;

    private async ValueTask<bool> FindPausedAsync(CancellationToken ct)
    {
        Paused = await requests.FindAsync(Handle, ct);
        return Paused is not null || Handle is null;
    }
}
