using IdentityServer.Errors;
using IdentityServer.Layout;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Resources;
using IdentityServer.SignIn;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Setup;

/// <summary>Makes the first administrator of an empty server, with the one-time link that the server printed when it started.</summary>
public sealed class SetupModel(
    ISetupLinks links, Users users, PasswordSignIn signIn, IStringLocalizer<Texts> texts, TimeProvider clock) : PageModel
{
    /// <summary>The code in the link.</summary>
    [BindProperty(Name = "code", SupportsGet = true)]
    public string? LinkCode { get; set; }

    [BindProperty(Name = "setup-code")]
    public string? TypedCode { get; set; }

    [BindProperty]
    public string? UserName { get; set; }

    [BindProperty]
    public string? Email { get; set; }

    [BindProperty(Name = "new-password")]
    public string? Password { get; set; }

    public string? Code { get; private set; }

    /// <summary>What has to be put right, by the id of the field.</summary>
    public IReadOnlyDictionary<string, string> Errors { get; private set; } = new Dictionary<string, string>();

    public bool HasErrors => Errors.Count > 0;

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        var isClosed = LinkCode is null
            ? !await links.AreNeededAsync(ct)
            : !await links.IsOpenAsync(Handle.HashOf(LinkCode), clock.GetUtcNow(), ct);
        if (isClosed)
        {
            return this.Show(PageProblem.SetupClosed);
        }

        Code = LinkCode;
        UserName = TempData["setup.name"] as string;
        Email = TempData["setup.email"] as string;
        Errors = Describe(TempData["setup.errors"] as string ?? "");
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        var user = new User((UserName ?? "").Trim()) { Email = (Email ?? "").Trim() };
        var audit = new AuditEvent(AuditTypes.SetupCompleted, clock.GetUtcNow())
        {
            Actor = "user:" + user.Id,
            Address = HttpContext.Connection.RemoteIpAddress?.ToString(),
        };
        var result = await users.AddFirstAdminAsync(
            user, Password ?? "", Handle.HashOf((TypedCode ?? "").Trim()), audit, ct);
        if (result.Succeeded)
        {
            await signIn.SignInAsync(user.UserName!, Password ?? "", keep: false, HttpContext, ct);
            return new SeeOther(Links.To(Request, "/", null));
        }

        TempData["setup.name"] = Short(UserName);
        TempData["setup.email"] = Short(Email);
        TempData["setup.errors"] = string.Join(' ', result.Errors.Select(error => error.Code));
        return new SeeOther(Links.Here(Request));
    }

    /// <summary>The ids of what explains a field.</summary>
    public string? DescriptionOf(string field, bool hasHint) => (hasHint, Errors.ContainsKey(field)) switch
    {
        (true, true) => $"{field}-hint {field}-error",
        (true, false) => $"{field}-hint",
        (false, true) => $"{field}-error",
        _ => null,
    };

    public string? InvalidOf(string field) => Errors.ContainsKey(field) ? "true" : null;

    private Dictionary<string, string> Describe(string codes)
    {
        var errors = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var code in codes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (field, text) = code switch
            {
                "SetupLinkClosed" => ("setup-code", texts["Setup_CodeError"]),
                nameof(IdentityErrorDescriber.InvalidUserName) => ("username", texts["Setup_UserNameError"]),
                nameof(IdentityErrorDescriber.DuplicateUserName) => ("username", texts["Setup_UserNameTaken"]),
                nameof(IdentityErrorDescriber.InvalidEmail) => ("email", texts["Setup_EmailError"]),
                nameof(IdentityErrorDescriber.DuplicateEmail) => ("email", texts["Setup_EmailTaken"]),
                _ => ("new-password", texts[code, PasswordRules.MinLength, PasswordRules.MaxLength]),
            };
            errors.TryAdd(field, text);
        }

        return errors;
    }

    private static string? Short(string? text) => text is { Length: <= 256 } ? text : null;
}
