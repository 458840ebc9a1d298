using System.Globalization;
using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Passkeys;
using IdentityServer.Recovery;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Why the sign-in page is shown again.</summary>
public enum LoginProblem
{
    /// <summary>One answer for a wrong name, a wrong password, a locked and a disabled account.</summary>
    Refused,

    /// <summary>One answer for a passkey that does not prove what it has to, and for an account that may not sign in.</summary>
    PasskeyRefused,

    /// <summary>Too many sign-ins at this moment.</summary>
    Busy,

    /// <summary>Too many attempts without success.</summary>
    Throttled,
}

/// <summary>Asks for user name and password. Also serves without a paused request: then the home page or the console comes next.</summary>
public sealed class LoginModel(
    PausedRequests requests, PasswordSignIn signIn, PasskeySignIn passkeys, SessionCookie cookie, People people, TimeProvider clock)
    : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    /// <summary>
    /// Where to go without a paused request; see <see cref="Links.AfterSignIn"/>. Asks also somebody who is signed in: console and account pages
    /// want a fresh proof.
    /// </summary>
    [BindProperty(SupportsGet = true)]
    public string? To { get; set; }

    [BindProperty]
    public string? UserName { get; set; }

    [BindProperty]
    public string? Password { get; set; }

    [BindProperty]
    public string? Keep { get; set; }

    [BindProperty]
    public string? Ceremony { get; set; }

    [BindProperty]
    public string? Credential { get; set; }

    public PausedRequest? Paused { get; private set; }

    public LoginProblem? Problem { get; private set; }

    /// <summary>How long, when the problem is <see cref="LoginProblem.Throttled"/>.</summary>
    public Wait? Wait { get; private set; }

    public bool OffersPasskeys => passkeys.IsOn;

    /// <summary>What a mailed link just did; <see langword="null"/>: nothing.</summary>
    public string? Done { get; private set; }

    public bool IsRefused => Problem is LoginProblem.Refused;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (!await FindPausedAsync(ct))
        {
            return this.Show(PageProblem.Expired);
        }

        var session = await cookie.FindSessionAsync(HttpContext, ct);
        if (Handle is null && session is not null && To is null)
        {
            return new SeeOther(Links.To(Request, "/", null));
        }

        Done = TempData[SignInWords.Done] as string;
        var draft = LoginDraft.Take(TempData);
        Problem = draft switch
        {
            { IsPasskeyRefused: true } => LoginProblem.PasskeyRefused,
            { IsRefused: true } => LoginProblem.Refused,
            _ => null,
        };
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
        return Answer(
            await signIn.SignInAsync(UserName ?? "", Password ?? "", isKept, HttpContext, ct),
            new LoginDraft(UserName, isKept, IsRefused: true));
    }

    public async Task<IActionResult> OnPostOptionsAsync(CancellationToken ct) => await passkeys.BeginAsync(HttpContext, ct);

    public async Task<IActionResult> OnPostPasskeyAsync(CancellationToken ct)
    {
        if (!await FindPausedAsync(ct))
        {
            return this.Show(PageProblem.Expired);
        }

        var isKept = Keep is not null;
        return Answer(
            await passkeys.SignInAsync(Ceremony, Credential, isKept, HttpContext, ct),
            new LoginDraft(null, isKept, IsRefused: false) { IsPasskeyRefused = true });
    }

    private IActionResult Answer(SignInOutcome outcome, LoginDraft refused)
    {
        switch (outcome)
        {
            case SignInOutcome.SignedIn:
                return new SeeOther(Links.AfterSignIn(Request, Handle, To));

            case SignInOutcome.NeedsFactor:
                return new SeeOther(Links.Onward(Request, FactorModel.Entrance));

            case SignInOutcome.Throttled throttled:
                Wait = Wait.Until(throttled.Until, clock.GetUtcNow());
                Response.StatusCode = StatusCodes.Status429TooManyRequests;
                Response.Headers.RetryAfter = Wait.Seconds.ToString(CultureInfo.InvariantCulture);
                Problem = LoginProblem.Throttled;
                return Page();

            case SignInOutcome.Busy:
                Response.StatusCode = StatusCodes.Status429TooManyRequests;
                Response.Headers.RetryAfter = PasswordSignIn.BusySeconds.ToString(CultureInfo.InvariantCulture);
                Problem = LoginProblem.Busy;
                return Page();

            default:
                refused.Save(TempData);
                return new SeeOther(Links.Here(Request));
        }
    }

    private async ValueTask<bool> FindPausedAsync(CancellationToken ct)
    {
        Paused = await requests.FindAsync(Handle, ct);
        return Paused is not null || Handle is null;
    }
}
