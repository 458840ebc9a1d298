using IdentityServer.Layout;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.SignIn;

/// <summary>Leads somebody in the middle of a sign-in to the factor that is asked for first. Shows nothing itself.</summary>
public sealed class FactorModel(PartialVisits visits) : PageModel
{
    public const string Entrance = "/login/factor";

    [BindProperty(SupportsGet = true)]
    public string? Handle { get; set; }

    [BindProperty(SupportsGet = true)]
    public string? To { get; set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) =>
        new SeeOther(Links.Onward(Request, (await visits.FindAsync(HttpContext, Handle, To, ct))?.FirstPage ?? "/login"));
}
