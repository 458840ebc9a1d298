using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Errors;

/// <summary>Why a hosted page cannot be shown, beyond what a status code says.</summary>
public enum PageProblem
{
    /// <summary>The paused request is unknown or too old.</summary>
    Expired,

    /// <summary>The set-up link is unknown, used, too old, or there is an administrator already.</summary>
    SetupClosed,

    /// <summary>The page is for administrators and operators.</summary>
    NotAnOperator,

    /// <summary>A mailed link is unknown, used, or too old.</summary>
    LinkClosed,

    /// <summary>A mailed link belongs to another browser.</summary>
    OtherBrowser,
}

/// <summary>Hands a request over to the error page.</summary>
public static class PageProblems
{
    /// <summary>Answers 400, or 403, and lets the error page say what happened.</summary>
    public static IActionResult Show(this PageModel page, PageProblem problem)
    {
        page.HttpContext.Items[typeof(PageProblem)] = problem;
        return page.StatusCode(problem == PageProblem.NotAnOperator ? StatusCodes.Status403Forbidden : StatusCodes.Status400BadRequest);
    }
}
