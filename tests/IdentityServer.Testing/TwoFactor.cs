using AngleSharp.Dom;

namespace IdentityServer.Testing;

/// <summary>Drives the pages of two-step sign-in as a person would.</summary>
public static class TwoFactor
{
    /// <summary>Signs in, sets an authenticator app up at the page that is shown, and answers the app.</summary>
    /// <returns>The app and the page after it, which shows the recovery codes.</returns>
    public static async Task<(AuthenticatorApp App, Page Codes)> EnrolAsync(
        this Browser browser, Page page, TimeProvider clock, CancellationToken ct)
    {
        var app = AppOn(page, clock);
        var form = page.CodeForm ?? throw new CheckFailedException($"No authenticator can be set up here: {page}");
        return (app, await browser.SubmitAsync(page, form, Typed(app.Code), null, ct));
    }

    /// <summary>The app that read the key the page shows.</summary>
    public static AuthenticatorApp AppOn(Page page, TimeProvider clock) =>
        new(page.Document.QuerySelector(".key-text")?.TextContent ?? throw new CheckFailedException($"No key is shown: {page}"), clock);

    /// <summary>Types a code into the page that asks for one.</summary>
    public static Task<Page> TypeCodeAsync(this Browser browser, Page page, string code, bool remember, CancellationToken ct)
    {
        var answers = Typed(code);
        if (remember)
        {
            answers["remember"] = "on";
        }

        return browser.SubmitAsync(page, page.CodeForm ?? throw new CheckFailedException($"No code is asked for: {page}"), answers, null, ct);
    }

    /// <summary>The recovery codes that a page shows.</summary>
    public static IReadOnlyList<string> RecoveryCodesOn(Page page) =>
        [.. page.Document.QuerySelectorAll(".codes li").Select(item => item.TextContent.Trim())];

    private static Dictionary<string, string?> Typed(string code) => new(StringComparer.Ordinal) { ["code"] = code };
}
