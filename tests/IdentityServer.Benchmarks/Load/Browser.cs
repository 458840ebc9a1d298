using System.Buffers.Text;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;
using IdentityServer.Benchmarks.Targets;

namespace IdentityServer.Benchmarks.Load;

/// <summary>
/// A relying party and its user's browser in one: signs in through whatever pages the server shows, keeps the cookies, and runs the code
/// flow with PKCE. Knows no server in particular.
/// </summary>
internal sealed class Browser(HttpClient http, Target target, Credentials client)
{
    public const string User = "alice";
    public const string RedirectUri = "http://127.0.0.1:9/cb";
    private const string Scope = "openid offline_access bench.read";
    private const int MostSteps = 20;
    private static readonly string[] Refusals = ["cancel", "deny", "refuse", "passkey", "forgot", "switch", "another"];
    private readonly List<Cookie> _cookies = [];
    private readonly string _verifier = Secrets.New();

    /// <summary>Path and query of the authorization request, to which a state and a nonce are added.</summary>
    public string AuthorizePathAndQuery =>
        $"{target.Metadata.Authorization.PathAndQuery}?response_type=code&client_id={client.Id}"
        + $"&redirect_uri={Uri.EscapeDataString(RedirectUri)}&scope={Uri.EscapeDataString(Scope)}"
        + $"&code_challenge_method=S256&code_challenge={Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(_verifier)))}";

    /// <summary>The form of the code's redemption, without the code.</summary>
    public string RedemptionForm =>
        $"grant_type=authorization_code&redirect_uri={Uri.EscapeDataString(RedirectUri)}&code_verifier={_verifier}";

    public string CookieHeader(Uri uri) => string.Join(
        "; ",
        _cookies.Where(x => uri.AbsolutePath.StartsWith(x.Path, StringComparison.Ordinal)).Select(x => $"{x.Name}={x.Value}"));

    /// <summary>One whole code flow; signs in and consents when the server asks.</summary>
    public async Task<TokenAnswer> SignInAsync(CancellationToken ct)
    {
        var code = await AuthorizeAsync(ct);
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Metadata.Token)
        {
            Headers = { Authorization = client.Basic },
            Content = Form($"{RedemptionForm}&code={Uri.EscapeDataString(code)}"),
        };
        using var response = await http.SendAsync(request, ct);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"{target.Name}: the code was refused: {await response.Content.ReadAsStringAsync(ct)}");
        }

        return await response.Content.ReadFromJsonAsync<TokenAnswer>(ct)
            ?? throw new InvalidOperationException($"{target.Name}: no tokens came back.");
    }

    public static StringContent Form(string body) => new(body, Encoding.UTF8, "application/x-www-form-urlencoded");

    private async Task<string> AuthorizeAsync(CancellationToken ct)
    {
        var uri = new Uri(target.Metadata.Authorization, $"{AuthorizePathAndQuery}&state={Secrets.New()}&nonce={Secrets.New()}");
        var request = new HttpRequestMessage(HttpMethod.Get, uri);
        for (var step = 0; step < MostSteps; step++)
        {
            request.Headers.Accept.ParseAdd("text/html");
            if (CookieHeader(uri) is { Length: > 0 } cookies)
            {
                request.Headers.Add("Cookie", cookies);
            }

            using var response = await http.SendAsync(request, ct);
            request.Dispose();
            Keep(response, uri);
            if (response.Headers.Location is { } location)
            {
                uri = new Uri(uri, location);
                if (uri.OriginalString.StartsWith(RedirectUri, StringComparison.Ordinal))
                {
                    return CodeOf(uri);
                }

                request = new HttpRequestMessage(HttpMethod.Get, uri);
                continue;
            }

            request = Answer(await response.Content.ReadAsStringAsync(ct), uri, (int)response.StatusCode);
            uri = request.RequestUri ?? uri;
        }

        throw new InvalidOperationException($"{target.Name}: the sign-in did not end after {MostSteps} steps, at {uri.AbsolutePath}.");
    }

    private string CodeOf(Uri callback)
    {
        var answer = callback.Query.TrimStart('?').Split('&').Select(x => x.Split('=', 2)).ToDictionary(x => x[0], x => x[^1]);
        return answer.TryGetValue("code", out var code)
            ? Uri.UnescapeDataString(code)
            : throw new InvalidOperationException($"{target.Name}: no code but error={answer.GetValueOrDefault("error")}.");
    }

    /// <summary>Fills the page's form as a person would: name and password where asked, else the button that agrees.</summary>
    private HttpRequestMessage Answer(string html, Uri page, int status)
    {
        using var document = new HtmlParser().ParseDocument(html);
        var forms = document.Forms.Where(x => x.Method == "post").ToArray();
        var form = forms.FirstOrDefault(x => x.QuerySelector("input[type=password]") is not null)
            ?? forms.FirstOrDefault(x => Agreeing(x) is not null)
            ?? throw new InvalidOperationException($"{target.Name}: no form to fill at {page.AbsolutePath} ({status}).");

        var fields = new List<KeyValuePair<string, string>>();
        foreach (var input in form.QuerySelectorAll("input[name]").OfType<IHtmlInputElement>())
        {
            var value = input.Type switch
            {
                "password" => Product.Password,
                "text" or "email" => User,
                "checkbox" or "radio" when !input.IsChecked => null,
                "submit" or "button" => null,
                _ => input.Value,
            };
            if (value is not null)
            {
                fields.Add(new(input.Name ?? "", value));
            }
        }

        if (Agreeing(form) is { Name.Length: > 0 } button)
        {
            fields.Add(new(button.Name, button.Value ?? ""));
        }

        var action = new Uri(page, form.GetAttribute("action") is { Length: > 0 } given ? given : page.PathAndQuery);
        return new HttpRequestMessage(HttpMethod.Post, action)
        {
            Content = new FormUrlEncodedContent(fields),
            Headers = { { "Origin", action.GetLeftPart(UriPartial.Authority) } },
        };
    }

    private static IHtmlButtonElement? Agreeing(IHtmlFormElement form) => form
        .QuerySelectorAll("button")
        .OfType<IHtmlButtonElement>()
        .FirstOrDefault(x => x.Type == "submit" && !IsRefusal($"{x.TextContent} {x.Value} {x.Name}"));

    private static bool IsRefusal(string label) =>
        Refusals.Any(x => label.Contains(x, StringComparison.OrdinalIgnoreCase));

    private void Keep(HttpResponseMessage response, Uri from)
    {
        if (!response.Headers.TryGetValues("Set-Cookie", out var lines))
        {
            return;
        }

        foreach (var line in lines)
        {
            var parts = line.Split(';', StringSplitOptions.TrimEntries);
            var pair = parts[0].Split('=', 2);
            var path = parts.FirstOrDefault(x => x.StartsWith("path=", StringComparison.OrdinalIgnoreCase))?["path=".Length..]
                ?? from.AbsolutePath;
            _cookies.RemoveAll(x => x.Name == pair[0] && x.Path == path);
            var gone = pair[1].Length == 0
                || parts.Any(x => x.StartsWith("expires=Thu, 01 Jan 1970", StringComparison.OrdinalIgnoreCase));
            if (!gone)
            {
                _cookies.Add(new Cookie(pair[0], pair[1], path));
            }
        }
    }

    private sealed record Cookie(string Name, string Value, string Path);
}
