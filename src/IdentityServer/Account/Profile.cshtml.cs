using IdentityServer.Layout;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Resources;
using IdentityServer.Storage.Accounts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Account;

/// <summary>Changes what a person says of themselves. Apps that may know learn it the next time they ask.</summary>
public sealed class ProfileModel(AccountAccess access, IAccounts accounts, IStringLocalizer<Texts> texts, TimeProvider clock)
    : AccountPage(access, clock)
{
    private const string DraftName = "account.profile";

    [BindProperty]
    public string? Name { get; set; }

    [BindProperty(Name = "given-name")]
    public string? GivenName { get; set; }

    [BindProperty(Name = "family-name")]
    public string? FamilyName { get; set; }

    [BindProperty]
    public string? Locale { get; set; }

    /// <summary>The languages to choose from: those of the pages, and the one the person has.</summary>
    public IReadOnlyList<UiLanguage> Languages => UiLanguage.All.Any(language => language.Tag == Visit.User.Locale) || Visit.User.Locale is null
        ? UiLanguage.All
        : [.. UiLanguage.All, new UiLanguage(Visit.User.Locale, Visit.User.Locale)];

    public async Task<IActionResult> OnGetAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        TakeWords();
        var user = Visit.User;
        (Name, GivenName, FamilyName, Locale) = TempData[DraftName] is string[] { Length: 4 } draft
            ? (draft[0], draft[1], draft[2], draft[3])
            : (user.Name, user.GivenName, user.FamilyName, user.Locale);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(CancellationToken ct)
    {
        if (await EnterAsync(ct) is { } elsewhere)
        {
            return elsewhere;
        }

        var fault = FaultOf(Name) ? "name" : FaultOf(GivenName) ? "given-name" : FaultOf(FamilyName) ? "family-name" : null;
        if (fault is not null)
        {
            TempData[DraftName] = new[] { Cut(Name), Cut(GivenName), Cut(FamilyName), Cut(Locale) };
            return Refuse(fault);
        }

        // A language that is not offered can only come from somebody who writes forms of their own.
        var user = Visit.User;
        var locale = string.IsNullOrEmpty(Locale) ? null : Languages.FirstOrDefault(language => language.Tag == Locale)?.Tag ?? user.Locale;
        var profile = new Profile(Clean(Name), Clean(GivenName), Clean(FamilyName), locale);
        if (profile != new Profile(user.Name, user.GivenName, user.FamilyName, user.Locale))
        {
            await accounts.ChangeProfileAsync(Visit.Subject, profile, Event(AuditTypes.UserChanged, "profile"), ct);
        }

        return Tell(texts["Account_DoneProfile"], Links.Account(Request));
    }

    private static bool FaultOf(string? name) => Clean(name) is { } text && Identifiers.DisplayFault(text, Profile.LongestName) is not null;

    private static string? Clean(string? text) => text?.Trim() is { Length: > 0 } trimmed ? trimmed : null;

    private static string Cut(string? text) => text is null ? "" : text[..Math.Min(text.Length, Profile.LongestName)];
}
