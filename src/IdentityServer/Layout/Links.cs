using IdentityServer.Protocol.EndSession;

namespace IdentityServer.Layout;

/// <summary>Addresses that hosted pages send the browser to; each keeps the language the person chose.</summary>
public static class Links
{
    /// <summary>Where a sign-in leads to, by name: an address in the query could be anybody's.</summary>
    public const string ConsoleName = "console";

    /// <summary>The console's page of sessions.</summary>
    public const string SessionsName = "console-sessions";

    /// <summary>The console's page that ends sessions.</summary>
    public const string EndName = "console-end";

    /// <summary>The console's page of receipts.</summary>
    public const string ReceiptsName = "console-receipts";

    /// <summary>The account pages.</summary>
    public const string AccountName = "account";

    /// <summary>The account's page of passkeys.</summary>
    public const string PasskeysName = "passkeys";

    /// <summary>The account's page of the password.</summary>
    public const string PasswordName = "password";

    /// <summary>The account's page of authenticator apps.</summary>
    public const string AuthenticatorName = "authenticator";

    /// <summary>The account's page of recovery codes.</summary>
    public const string RecoveryCodesName = "recovery-codes";

    /// <summary>The account's page that ends it.</summary>
    public const string DeleteName = "delete";

    /// <summary>The page that changes the person's address.</summary>
    public const string EmailName = "email";

    // Only what our own pages put into addresses; anything else that was sent stays out of our markup.
    private static readonly string[] Kept = ["handle", "code", "to", "span", "mail"];
    private static readonly string[] KeptInConsole = ["span", "sid", "person", "client", "address", "before", "all", "cursor"];

    /// <summary>The paused authorization request decides what comes next; without one it is the home page.</summary>
    public static string Resume(HttpRequest request, string? handle) =>
        handle is null ? To(request, "/", null) : To(request, "/connect/authorize/resume", handle);

    public static string Login(HttpRequest request, string? handle) => To(request, "/login", handle);

    /// <summary>Sign in, for one of our own pages; see <see cref="AfterSignIn"/>.</summary>
    public static string LoginTo(HttpRequest request, string to) => To(request, "/login", null, "to", to);

    /// <summary>A further factor, for one of our own pages.</summary>
    public static string StepUpTo(HttpRequest request, string to) => To(request, "/login/step-up", null, "to", to);

    /// <summary>The console's front door, which knows the first page that its visitor may see.</summary>
    public static string Console(HttpRequest request) => To(request, "/admin", null);

    public static string Keys(HttpRequest request) => To(request, "/admin/keys", null);

    public static string Sessions(HttpRequest request) => To(request, "/admin/sessions", null);

    /// <summary>The sessions that a filter leaves.</summary>
    public static string Sessions(HttpRequest request, string name, string value) => To(request, "/admin/sessions", null, name, value);

    /// <summary>The page that ends sessions.</summary>
    public static string End(HttpRequest request) => To(request, "/admin/sessions/end", null);

    /// <summary>The same, for what is named.</summary>
    public static string End(HttpRequest request, string name, string value) => To(request, "/admin/sessions/end", null, name, value);

    public static string Receipts(HttpRequest request) => To(request, "/admin/receipts", null);

    public static string Receipt(HttpRequest request, string id) => To(request, $"/admin/receipts/{id}", null);

    /// <summary>The same list, from where this part ends.</summary>
    public static string Next(HttpRequest request, string cursor)
    {
        var query = QueryString.Create(KeptInConsole
            .Where(name => name != "cursor" && request.Query[name] is [{ Length: > 0 }])
            .Select(name => KeyValuePair.Create(name, request.Query[name].ToString()))!);
        query = query.Add("cursor", cursor);
        return request.Path + (UiLanguage.AskedFor(request) is { } language ? query.Add("ui_locales", language.Tag) : query);
    }

    /// <summary>A sign-in that leads there takes two factors.</summary>
    public static bool LeadsToConsole(string? to) => to is ConsoleName or SessionsName or EndName or ReceiptsName;

    /// <summary>The account's overview, or a part of it.</summary>
    public static string Account(HttpRequest request, string? part = null) =>
        To(request, "/account", null) + (part is null ? "" : "#" + part);

    /// <summary>The same page for another length of time.</summary>
    public static string InSpan(HttpRequest request, string span)
    {
        var query = QueryString.Create("span", span);
        return request.Path + (UiLanguage.AskedFor(request) is { } language ? query.Add("ui_locales", language.Tag) : query);
    }

    /// <summary>The next page of the same sign-in: the paused request, or where it leads, goes along.</summary>
    public static string Onward(HttpRequest request, string path) =>
        path + (UiLanguage.AskedFor(request) is { } language ? KeptOf(request).Add("ui_locales", language.Tag) : KeptOf(request));

    /// <summary>Where a finished sign-in leads.</summary>
    /// <param name="request">The page's request.</param>
    /// <param name="handle">The paused request, if one waits.</param>
    /// <param name="to">Otherwise: <see cref="ConsoleName"/>, <see cref="AccountName"/> or the name of one of its pages, or home.</param>
    public static string AfterSignIn(HttpRequest request, string? handle, string? to) => (handle, to) switch
    {
        (null, ConsoleName) => Console(request),
        (null, SessionsName) => Sessions(request),
        (null, EndName) => End(request),
        (null, ReceiptsName) => Receipts(request),
        (null, AccountName) => Account(request),
        (null, PasskeysName or PasswordName or AuthenticatorName or RecoveryCodesName or DeleteName) =>
            To(request, $"/account/{to}", null),
        (null, EmailName) => Email(request),
        _ => Resume(request, handle),
    };

    /// <summary>The page that changes the person's address.</summary>
    public static string Email(HttpRequest request) => To(request, "/account/email", null);

    /// <summary>A mail in Development's mailbox.</summary>
    public static string Mail(HttpRequest request, string name) => To(request, "/mailbox", null, "mail", name);

    public static string SelectAccount(HttpRequest request, string? handle) => To(request, "/select-account", handle);

    /// <summary>After the session has ended: back to the app if it gave an address, else to our page that says so.</summary>
    public static string ResumeSignOut(HttpRequest request, string? handle) =>
        handle is null ? To(request, "/signed-out", null) : To(request, "/connect/endsession/resume", handle);

    /// <summary>The same, when the browser has told the app while the session goes on.</summary>
    public static string ResumeSignOutTold(HttpRequest request, string handle) =>
        To(request, "/connect/endsession/resume", handle, EndSessionEndpoint.Told, "yes");

    /// <summary>Sign out, when no app asked for it.</summary>
    public static string Logout(HttpRequest request) => To(request, "/logout", null);

    /// <summary>
    /// The same page, for its form. Spelled out because a form without an address takes the fragment along, and the redirect after
    /// it would carry that on to the app.
    /// </summary>
    public static string Here(HttpRequest request) =>
        request.Path + (UiLanguage.AskedFor(request) is { } language ? KeptOf(request).Add("ui_locales", language.Tag) : KeptOf(request));

    /// <summary>The same page, for another of its forms.</summary>
    public static string Here(HttpRequest request, string handler)
    {
        var here = Here(request);
        return $"{here}{(here.Contains('?', StringComparison.Ordinal) ? '&' : '?')}handler={handler}";
    }

    /// <summary>The same page in another language.</summary>
    public static string InLanguage(HttpRequest request, UiLanguage language) =>
        KeptOf(request).Add("ui_locales", language.Tag).ToString();

    public static string To(HttpRequest request, string path, string? handle) => To(request, path, handle, null, null);

    private static string To(HttpRequest request, string path, string? handle, string? name, string? value)
    {
        var query = handle is null ? QueryString.Empty : QueryString.Create("handle", handle);
        query = name is null ? query : query.Add(name, value!);
        if (UiLanguage.AskedFor(request) is { } language)
        {
            query = query.Add("ui_locales", language.Tag);
        }

        return path + query;
    }

    private static QueryString KeptOf(HttpRequest request) => QueryString.Create((request.Path.StartsWithSegments("/admin", StringComparison.Ordinal) ? KeptInConsole : Kept)
        .Where(name => request.Query[name].Count == 1)
        .Select(name => KeyValuePair.Create(name, request.Query[name].ToString()))!);
}
