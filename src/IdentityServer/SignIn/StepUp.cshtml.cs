using IdentityServer.Errors;
using IdentityServer.Layout;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Somebody who is signed in shall prove more: leads to the page that asks for it. Shows nothing itself.</summary>
public sealed class StepUpModel(SessionCookie cookie, SignInFlow flow, PausedRequests requests) : PageModel
{
    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (Handle is not null && await requests.FindAsync(Handle, ct) is null)
        {
            return this.Show(PageProblem.Expired);
        }

        if (await cookie.FindSessionAsync(HttpContext, ct) is not { } session)
        {
            return new SeeOther(Links.Onward(Request, "/login"));
        }

        await flow.BeginStepUpAsync(session, HttpContext, ct);
        return new SeeOther(Links.Onward(Request, FactorModel.Entrance));
    }
}
