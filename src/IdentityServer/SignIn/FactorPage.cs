using System.Globalization;
using IdentityServer.Layout;
using IdentityServer.Throttling;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>What the pages have in common that ask for one more factor of somebody in the middle of a sign-in.</summary>
public abstract class FactorPage(PartialVisits visits, TimeProvider clock) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    /// <summary>Where to go without a paused request; see <see cref="Links.AfterSignIn"/>.</summary>
    [BindProperty(SupportsGet = true)]
    public string? To { get; set; }

    public PartialVisit Visit { get; private set; } = null!;

    /// <summary>What was sent was not right.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Too many sign-ins at this moment.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>How long to wait, after too many attempts; <see langword="null"/>: not at all.</summary>
    public Wait? Wait { get; private set; }

    public bool HasProblem => IsRefused || IsBusy || Wait is not null;

    /// <summary>Somebody is in the middle of a sign-in; otherwise it begins anew.</summary>
    protected async ValueTask<bool> FindVisitAsync(CancellationToken ct)
    {
        Visit = (await visits.FindAsync(HttpContext, Handle, To, ct))!;
        return Visit is not null;
    }

    /// <summary>There is no sign-in under way: begin with the first step.</summary>
    protected IActionResult Restart() => new SeeOther(Links.Onward(Request, "/login"));

    /// <summary>Goes on after a factor was sent, or says what was wrong with it.</summary>
    protected IActionResult Answer(SignInOutcome outcome)
    {
        switch (outcome)
        {
            case SignInOutcome.SignedIn:
                return new SeeOther(Links.AfterSignIn(Request, Handle, To));
            case SignInOutcome.Throttled throttled:
                Wait = Wait.Until(throttled.Until, clock.GetUtcNow());
                Response.StatusCode = StatusCodes.Status429TooManyRequests;
                Response.Headers.RetryAfter = Wait.Seconds.ToString(CultureInfo.InvariantCulture);
                return Page();
            case SignInOutcome.Busy:
                IsBusy = true;
                Response.StatusCode = StatusCodes.Status429TooManyRequests;
                Response.Headers.RetryAfter = PasswordSignIn.BusySeconds.ToString(CultureInfo.InvariantCulture);
                return Page();
            case SignInOutcome.Refused:
                IsRefused = true;
                return Page();
            default:
                return Restart();
        }
    }
}

/// <summary>How long somebody has to wait.</summary>
/// <param name="Seconds">Rounded up.</param>
/// <param name="IsForGood">Waiting does not help.</param>
public sealed record Wait(int Seconds, bool IsForGood)
{
    /// <summary>The wait that ends at an instant.</summary>
    public static Wait Until(DateTimeOffset until, DateTimeOffset now) => until >= ThrottleRule.Never
        ? new Wait(24 * 60 * 60, IsForGood: true)
        : new Wait(Math.Max(1, (int)Math.Ceiling((until - now).TotalSeconds)), IsForGood: false);

    /// <summary>Minutes, rounded up.</summary>
    public int Minutes => (Seconds + 59) / 60;
}
