using IdentityServer.Layout;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.SignIn;
using IdentityServer.Storage.Accounts;
using Microsoft.AspNetCore.Mvc;

namespace IdentityServer.Account;

/// <summary>Deletes the account of whoever types its user name and proved who they are a short while ago.</summary>
public sealed class DeleteModel(
    AccountAccess access, Revoker revoker, SessionCookie cookie, RememberedAccounts remembered, TimeProvider clock)
    : AccountPage(access, clock)
{
    /// <summary>Faults: another name was typed; nobody else could administer the server.</summary>
    private const string OtherName = "name", LastAdmin = "last_admin";

    [BindProperty(Name = "username")]
    public string? Typed { get; set; }

    public bool IsOtherName => Fault == OtherName;

    public bool IsLastAdmin => Fault == LastAdmin;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterWithProofAsync(Links.DeleteName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        TakeWords();
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await EnterWithProofAsync(Links.DeleteName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        if (!string.Equals(Typed?.Trim(), Visit.User.UserName, StringComparison.OrdinalIgnoreCase))
        {
            return Refuse(OtherName);
        }

        var deleted = new AccountDeleted { Audit = Event(AuditTypes.UserDeleted) };
        if (await revoker.EndPersonAsync(Visit.Subject, exceptSessionId: null, deleted, Because("account_deleted"), ct) is null)
        {
            return Refuse(LastAdmin);
        }

        cookie.Delete(HttpContext);
        remembered.Forget(HttpContext);
        TempData[DeletedModel.MarkName] = true;
        return new SeeOther(Links.To(Request, "/account/deleted", null));
    }
}
