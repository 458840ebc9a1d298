using IdentityServer.Errors;
using IdentityServer.Layout;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Admin;

/// <summary>What the pages of the console have in common: who is there, and whether they may be.</summary>
internal abstract class ConsolePage(ConsoleAccess console) : PageModel
{
    public Visit Visit { get; private set; } = null!;

    /// <summary>Lets those enter who have a role for the area.</summary>
    /// <param name="area">What the page is about.</param>
    /// <param name="name">The page that a sign-in leads to, as <see cref="Links.AfterSignIn"/> knows it.</param>
    /// <param name="ct">Stops before anything is read.</param>
    /// <returns>The answer instead of the page.</returns>
    protected async ValueTask<IActionResult?> EnterAsync(AdminArea area, string name, CancellationToken ct)
    {
        if (await console.FindAsync(HttpContext, ct) is not { } visit)
        {
            return new SeeOther(Links.LoginTo(Request, name));
        }

        Visit = visit;
        return visit.May(area) ? null : Forbidden();
    }

    /// <summary>The visitor has no role for this.</summary>
    protected IActionResult Forbidden() => this.Show(PageProblem.NotAnOperator);

    /// <summary>Where somebody goes who has to prove who they are first; <see langword="null"/>: they have.</summary>
    protected SeeOther? WayToProof(string name) =>
        console.HasProof(Visit.Session) ? null
        : new SeeOther(console.IsFresh(Visit.Session) ? Links.StepUpTo(Request, name) : Links.LoginTo(Request, name));
}
