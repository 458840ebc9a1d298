using AngleSharp.Html.Dom;

namespace IdentityServer.Testing;

/// <summary>Drives the forms that use or make a passkey, as the pages' script would.</summary>
public static class PasskeyPages
{
    /// <summary>The form, if the page has one.</summary>
    public static IHtmlFormElement? PasskeyForm(this Page page) => page.Forms.FirstOrDefault(form => form.HasAttribute("data-passkey"));

    /// <summary>Asks what to ask the authenticator.</summary>
    public static async Task<Page> AskAsync(this Browser browser, Page page, CancellationToken ct)
    {
        var form = FormOn(page);
        var address = new Uri(page.Address, form.GetAttribute("data-options"));
        using var request = new HttpRequestMessage(HttpMethod.Post, address);
        request.Headers.Add("Origin", address.GetLeftPart(UriPartial.Authority));
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        request.Content = new FormUrlEncodedContent(form.Elements.OfType<IHtmlInputElement>()
            .Where(input => !string.IsNullOrEmpty(input.Name))
            .Select(input => KeyValuePair.Create(input.Name!, input.Value)));
        return await browser.SendAsync(request, ct);
    }

    /// <summary>Sends what the authenticator answered.</summary>
    public static Task<Page> AnswerAsync(
        this Browser browser, Page page, string? ceremony, string? credential, CancellationToken ct, params (string Name, string Value)[] more)
    {
        var answers = new Dictionary<string, string?>(StringComparer.Ordinal) { ["ceremony"] = ceremony, ["credential"] = credential };
        foreach (var (name, value) in more)
        {
            answers[name] = value;
        }

        return browser.SubmitAsync(page, FormOn(page), answers, null, ct);
    }

    /// <summary>Uses the authenticator's passkey, or makes it, whichever the page wants.</summary>
    public static async Task<Page> UseAsync(
        this Browser browser,
        Page page,
        SoftwareAuthenticator authenticator,
        CancellationToken ct,
        Func<AuthenticatorClaims, AuthenticatorClaims>? lie = null)
    {
        var asked = await browser.AskAsync(page, ct);
        var json = asked.Json;
        if (!asked.ContentHeaders.ContentType!.MediaType!.EndsWith("json", StringComparison.Ordinal) || json?["options"] is not { } options)
        {
            throw new CheckFailedException($"No ceremony began: {asked}");
        }

        var origin = page.Address.GetLeftPart(UriPartial.Authority);
        var credential = FormOn(page).GetAttribute("data-passkey") == "create"
            ? authenticator.Create(options.ToJsonString(), origin, lie)
            : authenticator.Get(options.ToJsonString(), origin, lie);
        return await browser.AnswerAsync(page, (string?)json["ceremony"], credential, ct);
    }

    private static IHtmlFormElement FormOn(Page page) =>
        page.PasskeyForm() ?? throw new CheckFailedException($"No passkey is asked for here: {page}");
}
