using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Mail;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace IdentityServer.Account;

/// <summary>What a person's own pages have in common: whose they are, what was just done, and the words for the audit log.</summary>
public abstract class AccountPage(AccountAccess access, TimeProvider clock) : PageModel
{
    private const string DoneName = "account.done";
    private const string FaultName = "account.fault";

    public AccountVisit Visit { get; private set; } = null!;

    /// <summary>What was just done, in the reader's language.</summary>
    public string? Done { get; private set; }

    /// <summary>Why what was asked for was not done: a word of the page.</summary>
    public string? Fault { get; private set; }

    public DateTimeOffset Now { get; } = clock.GetUtcNow();

    /// <summary>They proved who they are a short while ago.</summary>
    public bool HasProof => access.HasProof(Visit);

    /// <summary>Lets whoever is signed in enter.</summary>
    /// <returns>Where to go instead.</returns>
    protected ValueTask<IActionResult?> EnterAsync(CancellationToken ct) => EnterAsync(Links.AccountName, ct);

    /// <summary>The same, for a page that a sign-in leads back to.</summary>
    /// <param name="name">The page, as <see cref="Links.AfterSignIn"/> knows it.</param>
    /// <param name="ct">Stops before anything is read.</param>
    protected async ValueTask<IActionResult?> EnterAsync(string name, CancellationToken ct)
    {
        if (await access.FindAsync(HttpContext, ct) is not { } visit)
        {
            return new SeeOther(access.WayToProof(Request, null, name));
        }

        Visit = visit;
        return null;
    }

    /// <summary>Lets only those enter who proved who they are a short while ago.</summary>
    /// <param name="name">The page, as <see cref="Links.AfterSignIn"/> knows it.</param>
    /// <param name="ct">Stops before anything is read.</param>
    /// <returns>Where to go instead.</returns>
    protected async ValueTask<IActionResult?> EnterWithProofAsync(string name, CancellationToken ct)
    {
        var visit = await access.FindAsync(HttpContext, ct);
        if (visit is null || !access.HasProof(visit))
        {
            return new SeeOther(access.WayToProof(Request, visit, name));
        }

        Visit = visit;
        return null;
    }

    /// <summary>Takes what the form before left to be said.</summary>
    protected void TakeWords()
    {
        Done = TempData[DoneName] as string;
        Fault = TempData[FaultName] as string;
    }

    /// <summary>The deed is done: says so on the page that follows.</summary>
    protected SeeOther Tell(string done, string address)
    {
        TempData[DoneName] = done;
        return new SeeOther(address);
    }

    /// <summary>The deed was not done: says so on this page.</summary>
    protected SeeOther Refuse(string fault)
    {
        TempData[FaultName] = fault;
        return new SeeOther(Links.Here(Request));
    }

    protected AuditEvent Event(string type, string? detail = null) => new(type, Now)
    {
        Actor = "user:" + Visit.Subject,
        Subject = Visit.Subject,
        SessionId = Visit.Session.Id,
        Address = HttpContext.Connection.RemoteIpAddress?.ToString(),
        Detail = detail,
    };

    /// <summary>For the deed to store: the mail that tells of it.</summary>
    protected OutboxMail? NoticeOf(Notices notices, FactorChange change) =>
        notices.Compose(MailKind.FactorChanged, Visit.User, HttpContext, new MailValues { Change = change });

    protected Cause Because(string reason) =>
        new(reason, "user:" + Visit.Subject, HttpContext.Connection.RemoteIpAddress?.ToString());
}
