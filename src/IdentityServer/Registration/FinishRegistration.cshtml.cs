using System.Globalization;
using IdentityServer.Configuration;
using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Recovery;
using IdentityServer.Resources;
using IdentityServer.SignIn;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Registration;

/// <summary>Makes the account of somebody who proved an address by following the link there, and signs them in.</summary>
public sealed class FinishRegistrationModel(
    IMailLinks links,
    BrowserCookie browser,
    MailRoute route,
    ServerSettings settings,
    Users users,
    ICredentials credentials,
    PasswordForm passwords,
    SignInFlow flow,
    PausedRequests requests,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : LinkPage(links, browser, route, clock)
{
    private const int LongestName = 100;

    [BindProperty(Name = "name")]
    public string? Name { get; set; }

    [BindProperty(Name = "new-password")]
    public string? Password { get; set; }

    public PausedRequest? Paused { get; private set; }

    public string Email => Link.Email!;

    public string? NameError { get; private set; }

    public string? PasswordError { get; private set; }

    public bool HasErrors => NameError is not null || PasswordError is not null;

    /// <summary>Too many passwords are hashed at this moment.</summary>
    public bool IsBusy { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken ct) => await EnterAsync(ct) ?? Page();

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } refusal)
        {
            return refusal;
        }

        // 1 what was typed
        var name = (Name ?? "").Trim();
        NameError = Identifiers.DisplayFault(name, LongestName) is null ? null : texts["Finish_NameError", LongestName].Value;
        var user = new User(UserNameOf(Email))
        {
            Email = Email,
            EmailConfirmed = true,
            Name = name,
            Locale = UiLanguage.Current.Tag,
        };
        var (hash, fault) = await passwords.TryHashAsync(user, Password ?? "", ct);
        PasswordError = fault == PasswordFault.None
            ? null
            : texts[PasswordRulesValidator.CodePrefix + fault, PasswordRules.MinLength, PasswordRules.MaxLength].Value;
        if (HasErrors)
        {
            return Page();
        }

        if (hash is null)
        {
            IsBusy = true;
            Response.StatusCode = StatusCodes.Status429TooManyRequests;
            Response.Headers.RetryAfter = PasswordSignIn.BusySeconds.ToString(CultureInfo.InvariantCulture);
            return Page();
        }

        // 2 one transaction: the link is used up, the account is there
        user.PasswordHash = hash;
        var audit = new AuditEvent(AuditTypes.UserAdded, Now) { Actor = "user:" + user.Id, Address = Address, Detail = "registered" };
        if (!(await users.RegisterAsync(user, Link.Hash, MailLinkKinds.Registration, audit, ct)).Succeeded
            || await credentials.FindBySubjectAsync(user.Id, ct) is not { } who)
        {
            return this.Show(PageProblem.LinkClosed);
        }

        // 3 in, and back to the app
        return await flow.AdmitAsync(who, [Amr.Password], keep: false, HttpContext, ct) is SignInOutcome.NeedsFactor
            ? new SeeOther(Links.To(Request, FactorModel.Entrance, Waiting))
            : new SeeOther(Links.Resume(Request, Waiting));
    }

    // The address, where it can be a user name (Identity's default); otherwise they sign in by the address anyway.
    private static string UserNameOf(string email) =>
        email.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_' or '@' or '+') ? email : Handle.NewId();

    private async ValueTask<IActionResult?> EnterAsync(CancellationToken ct)
    {
        if (settings.Accounts.Registration != true)
        {
            return NotFound();
        }

        if (await FindAsync(MailLinkKinds.Registration, ct) is { } refusal)
        {
            return refusal;
        }

        Paused = await requests.FindAsync(Waiting, ct);
        return null;
    }
}
