using IdentityServer.Layout;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Resources;
using IdentityServer.Risk;
using Microsoft.Extensions.Localization;

namespace IdentityServer.Account;

/// <summary>Times, browsers, ways to sign in and permissions in the reader's language.</summary>
public sealed class AccountWords(IStringLocalizer<Texts> texts, ScopeCatalog scopes, ILocator locator)
{
    public string Day(DateTimeOffset at) => texts["Account_Day", at.UtcDateTime];

    public string Moment(DateTimeOffset at) => texts["Account_Moment", at.UtcDateTime];

    /// <summary>Within a minute it is now.</summary>
    public string Seen(DateTimeOffset at, DateTimeOffset now) => now - at < TimeSpan.FromMinutes(2) ? texts["Account_JustNow"] : Moment(at);

    /// <summary>The browser, as far as it said what it is.</summary>
    public string Device(string? userAgent) => BrowserName.Of(userAgent) switch
    {
        { Browser: { } browser, System: { } system } => texts["Account_BrowserOn", browser, system],
        { Browser: { } browser } => browser,
        { System: { } system } => texts["Account_SomethingOn", system],
        _ => texts["Account_UnknownBrowser"],
    };

    /// <summary>A network address, with its country when that is known.</summary>
    public string Place(string? address) =>
        address is null ? "–" : locator.CountryOf(address) is { } country ? $"{address} ({country})" : address;

    /// <summary>How somebody signed in.</summary>
    public string Way(IReadOnlyList<string> amr) =>
        (Has(amr, Amr.Password), Has(amr, Amr.OneTimeCode), Has(amr, Amr.Key)) switch
        {
            (true, _, true) => texts["Account_WayPasswordPasskey"],
            (true, true, _) => texts["Account_WayPasswordCode"],
            (_, _, true) => texts["Account_WayPasskey"],
            _ => texts["Account_WayPassword"],
        };

    /// <summary>What an app may do, as the page said that asked for it.</summary>
    public string Scopes(IEnumerable<string> names) => string.Join(texts["Account_Comma"], names.Select(Scope));

    private string Scope(string name) => name switch
    {
        StandardScopes.OpenId => texts["Scope_openid"],
        StandardScopes.Profile => texts["Scope_profile"],
        StandardScopes.Email => texts["Scope_email"],
        StandardScopes.Address => texts["Scope_address"],
        StandardScopes.Phone => texts["Scope_phone"],
        StandardScopes.OfflineAccess => texts["Scope_offline_access"],
        _ => scopes.Find(name)?.DisplayName ?? name,
    };

    private static bool Has(IReadOnlyList<string> amr, string method) => amr.Contains(method, StringComparer.Ordinal);
}
