using IdentityServer.Layout;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Account;

/// <summary>Says that the account is gone, to the browser in which it was deleted.</summary>
public sealed class DeletedModel : PageModel
{
    internal const string MarkName = "account.deleted";

    /// <summary>This page must not say what is not so.</summary>
    public IActionResult OnGet() =>
        TempData.Peek(MarkName) is true ? Page() : new SeeOther(Links.To(Request, "/", null));
}
