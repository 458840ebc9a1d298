using AngleSharp.Dom;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Conformance.Logout;

/// <summary>What the logout modules share: somebody who is signed in, and the way out.</summary>
public abstract class LogoutTest(ConformanceServer server) : ModuleTest(server)
{
    protected static string PostLogoutRedirectUri => ConformanceServer.PostLogoutRedirectUri;

    protected async Task<(Browser Browser, Jwt IdToken)> SignInAsync()
    {
        var browser = NewBrowser();
        var tokens = await SignInAsync(browser, Client.Attempt());
        return (browser, tokens.IdToken!);
    }

    /// <summary>Goes to the end session endpoint and confirms if asked.</summary>
    protected async Task<Page> SignOutAsync(
        Browser browser,
        params (string Name, string Value)[] parameters)
    {
        var page = await browser.OpenAsync(Client.EndSessionAddress(parameters), Ct);
        var question = page.Forms.FirstOrDefault(form => Browser.Buttons(form).Any(SignsOut));
        return question is null
            ? page
            : await browser.SubmitAsync(
                page, question, new Dictionary<string, string?>(), Browser.Buttons(question).First(SignsOut), Ct);
    }

    protected static void AssertStayed(Page page)
    {
        Assert.False(page.IsRedirect, $"Redirected to {page.Location}.");
        Assert.InRange((int)page.Status, 200, 499);
        Assert.True(page.IsHtml);
    }

    /// <summary>A silent request finds nobody.</summary>
    protected async Task AssertSignedOutAsync(Browser browser)
    {
        var walk = await WalkAsync(browser, Client.Attempt().With("prompt", "none"));
        Assert.Equal("login_required", walk.Answered.Error);
    }

    private static bool SignsOut(IElement button) =>
        button.TextContent.Contains("sign out", StringComparison.OrdinalIgnoreCase);
}
