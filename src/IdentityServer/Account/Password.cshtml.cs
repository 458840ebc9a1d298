using System.Globalization;
using IdentityServer.Layout;
using IdentityServer.Mail;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Resources;
using IdentityServer.SignIn;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Account;

/// <summary>
/// A new password for whoever knows the old one and proved who they are a short while ago. Every other session ends with it, and every
/// grant; this session goes on under a new cookie.
/// </summary>
public sealed class PasswordModel(
    AccountAccess access,
    PasswordSignIn signIn,
    PasswordTurns turns,
    IPasswordHasher<User> hasher,
    SignInFlow flow,
    Revoker revoker,
    Notices notices,
    Brand brand,
    IStringLocalizer<Texts> texts,
    TimeProvider clock) : AccountPage(access, clock)
{
    /// <summary>Faults that are none of <see cref="PasswordFault"/>: the old password is not right; the new one is the old one.</summary>
    private const string Wrong = "wrong", Same = "same";

    [BindProperty(Name = "current-password")]
    public string? Current { get; set; }

    [BindProperty(Name = "new-password")]
    public string? New { get; set; }

    /// <summary>How long to wait, after too many attempts; <see langword="null"/>: not at all.</summary>
    public Wait? Wait { get; private set; }

    /// <summary>Too many people sign in at this moment.</summary>
    public bool IsBusy { get; private set; }

    /// <summary>There is one to be typed. One that somebody else may know proves nothing, and is replaced by whoever signed in without it.</summary>
    public bool AsksForCurrent => Visit.User is { PasswordHash: not null, PasswordBarredAt: null };

    public bool HasProblem => Fault is not null || IsBusy || Wait is not null;

    /// <summary>What is wrong with the old password.</summary>
    public string? CurrentFault => Fault == Wrong ? texts["Account_PasswordWrong"].Value : null;

    /// <summary>What is wrong with the new password.</summary>
    public string? NewFault => Fault switch
    {
        null or Wrong => null,
        Same => texts["Account_PasswordSame"].Value,
        { } fault => texts[PasswordRulesValidator.CodePrefix + fault, PasswordRules.MinLength, PasswordRules.MaxLength],
    };

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterWithProofAsync(Links.PasswordName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        TakeWords();
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        // 1 who
        if (await EnterWithProofAsync(Links.PasswordName, ct) is { } elsewhere)
        {
            return elsewhere;
        }

        // 2 the new one may be one: looked at first, as a look at the old one counts as an attempt
        var chosen = New ?? "";
        if (PasswordRules.Check(chosen, PasswordRulesValidator.ContextOf(Visit.User, brand)) is var fault and not PasswordFault.None)
        {
            return Refuse(fault.ToString());
        }

        // 3 the old one
        if (AsksForCurrent && await signIn.VerifyAsync(Visit.User, Current ?? "", HttpContext, ct) is { } refused)
        {
            return Answer(refused);
        }

        if (AsksForCurrent && PasswordRules.Normalize(chosen) == PasswordRules.Normalize(Current ?? ""))
        {
            return Refuse(Same);
        }

        // 4 all of it at once: the password, the end of everything else, the devices that were spared a code
        if (await HashAsync(chosen, ct) is not { } hash)
        {
            return Answer(new SignInOutcome.Busy());
        }

        var change = new NewPassword
        {
            PasswordHash = hash,
            Audit = Event(AuditTypes.PasswordChanged, "changed"),
            Mail = notices.Compose(MailKind.PasswordChanged, Visit.User, HttpContext),
        };
        if (await revoker.EndPersonAsync(Visit.Subject, Visit.Session.Id, change, Because("password_changed"), ct) is null)
        {
            // The account was disabled or deleted meanwhile, and this session ended with it.
            return new SeeOther(Links.Account(Request));
        }

        notices.Ring();
        await flow.RenewAsync(Visit.Session, [], "password_changed", HttpContext, ct);
        return Tell(texts["Account_DonePassword"], Links.Account(Request));
    }

    private async ValueTask<string?> HashAsync(string password, CancellationToken ct)
    {
        using var turn = await turns.WaitAsync(isKnown: true, ct);
        return turn.IsAcquired ? await Task.Run(() => hasher.HashPassword(Visit.User, password), ct) : null;
    }

    private IActionResult Answer(SignInOutcome refused)
    {
        if (refused is SignInOutcome.Refused)
        {
            return Refuse(Wrong);
        }

        Wait = refused is SignInOutcome.Throttled throttled ? Wait.Until(throttled.Until, Now) : null;
        IsBusy = Wait is null;
        Response.StatusCode = StatusCodes.Status429TooManyRequests;
        Response.Headers.RetryAfter = (Wait?.Seconds ?? PasswordSignIn.BusySeconds).ToString(CultureInfo.InvariantCulture);
        return Page();
    }
}
