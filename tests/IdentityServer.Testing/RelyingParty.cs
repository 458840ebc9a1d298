using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using AngleSharp.Html.Dom;

namespace IdentityServer.Testing;

/// <summary>
/// An app or service that uses the server as its registration allows, and applies to every answer the checks of
/// <see cref="Check"/> as the conformance suite would.
/// </summary>
public sealed record RelyingParty
{
    private const int MaximumPages = 8;

    private static readonly string[] _yes = ["allow", "accept", "agree", "continue", "yes", "authorize", "consent"];

    private static readonly string[] _no = ["n't", "not", "cancel", "deny", "refuse", "different", "another"];

    public required HttpClient Http { get; init; }

    public required OpenIdProvider Provider { get; init; }

    /// <summary>The clock the server lives by.</summary>
    public required TimeProvider Clock { get; init; }

    public required string ClientId { get; init; }

    /// <summary>The secret; <see langword="null"/> for a public client.</summary>
    public string? Secret { get; init; }

    /// <summary>A value of <c>token_endpoint_auth_method</c>.</summary>
    public string AuthMethod { get; init; } = "client_secret_basic";

    /// <summary>Makes the client assertion for private_key_jwt.</summary>
    public Func<string>? Assertion { get; init; }

    public string RedirectUri { get; init; } = "";

    public string PostLogoutRedirectUri { get; init; } = "";

    /// <summary>The same client, asking one of several nodes.</summary>
    public RelyingParty At(Uri node) => new()
    {
        Http = Http,
        Provider = Provider.At(node),
        Clock = Clock,
        ClientId = ClientId,
        Secret = Secret,
        AuthMethod = AuthMethod,
        Assertion = Assertion,
        RedirectUri = RedirectUri,
        PostLogoutRedirectUri = PostLogoutRedirectUri,
    };

    public AuthorizationAttempt Attempt(string scope = "openid") =>
        AuthorizationAttempt.Create(ClientId, RedirectUri, scope);

    /// <summary>The usual: signs the person in with a browser of its own and exchanges the code.</summary>
    public async Task<TokenAnswer> SignInAsync(Person person, string scope, CancellationToken ct)
    {
        var walk = await AuthorizeAsync(new Browser(Http), Attempt(scope), person, ct);
        return await ExchangeAsync(walk, ct);
    }

    /// <summary>Sends the browser to the authorization endpoint and answers what it is shown.</summary>
    /// <param name="browser">The browser.</param>
    /// <param name="attempt">The request.</param>
    /// <param name="person">Who signs in when asked; <see langword="null"/>: nobody, the walk stops there.</param>
    /// <param name="ct">Stops waiting.</param>
    public async Task<AuthorizationWalk> AuthorizeAsync(
        Browser browser,
        AuthorizationAttempt attempt,
        Person? person,
        CancellationToken ct) =>
        await WalkAsync(browser, await browser.OpenAsync(attempt.At(Provider.Authorization), ct), attempt, person, ct);

    /// <summary>The same, the request arriving as a form that another site posts.</summary>
    public async Task<AuthorizationWalk> AuthorizeByPostAsync(
        Browser browser,
        AuthorizationAttempt attempt,
        Person? person,
        CancellationToken ct)
    {
        var page = await browser.PostFromElsewhereAsync(Provider.Authorization, attempt.Parameters, ct);
        return await WalkAsync(browser, page, attempt, person, ct);
    }

    /// <summary>Exchanges a code and checks everything that comes back.</summary>
    public async Task<TokenAnswer> ExchangeAsync(AuthorizationWalk walk, CancellationToken ct)
    {
        var answer = await RedeemAsync(walk, ct);
        Check.Tokens(answer);
        CheckTokens(answer, walk.Attempt["nonce"], walk.Attempt["scope"] ?? "");
        return answer;
    }

    /// <summary>Exchanges a code, whatever the answer.</summary>
    public Task<TokenAnswer> RedeemAsync(AuthorizationWalk walk, CancellationToken ct) => TokenAsync(
    [
        new("grant_type", "authorization_code"),
        new("code", walk.Code),
        new("redirect_uri", walk.Attempt["redirect_uri"] ?? RedirectUri),
        new("code_verifier", walk.Attempt.Verifier),
    ], ct);

    public Task<TokenAnswer> RefreshAsync(string refreshToken, CancellationToken ct) => TokenAsync(
    [
        new("grant_type", "refresh_token"),
        new("refresh_token", refreshToken),
    ], ct);

    public Task<TokenAnswer> ClientCredentialsAsync(string? scope, CancellationToken ct) => TokenAsync(
        scope is null
            ? [new("grant_type", "client_credentials")]
            : [new("grant_type", "client_credentials"), new("scope", scope)], ct);

    public Task<TokenAnswer> TokenAsync(IEnumerable<KeyValuePair<string, string>> parameters, CancellationToken ct) =>
        PostAsync(Provider.Token, parameters, ct);

    public Task<TokenAnswer> IntrospectAsync(string token, CancellationToken ct) =>
        PostAsync(Provider.Introspection, [new("token", token)], ct);

    public Task<TokenAnswer> RevokeAsync(string token, CancellationToken ct) =>
        PostAsync(Provider.Revocation, [new("token", token)], ct);

    public async Task<TokenAnswer> UserInfoAsync(string accessToken, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Provider.UserInfo);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        using var response = await Http.SendAsync(request, ct);
        return await TokenAnswer.ReadAsync(response, ct);
    }

    /// <summary>Posts a form with this client's authentication.</summary>
    public async Task<TokenAnswer> PostAsync(
        Uri endpoint,
        IEnumerable<KeyValuePair<string, string>> parameters,
        CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, endpoint);
        var fields = parameters.ToList();
        Authenticate(request, fields);
        request.Content = new FormUrlEncodedContent(fields);
        using var response = await Http.SendAsync(request, ct);
        return await TokenAnswer.ReadAsync(response, ct);
    }

    public Uri EndSessionAddress(params (string Name, string Value)[] parameters)
    {
        var query = string.Join('&', parameters.Select(parameter =>
            $"{parameter.Name}={Uri.EscapeDataString(parameter.Value)}"));
        return new UriBuilder(Provider.EndSession) { Query = query }.Uri;
    }

    /// <summary>RFC 6749 §2.3.1: both halves are form-encoded before they are joined.</summary>
    public static AuthenticationHeaderValue Basic(string clientId, string secret)
    {
        var credentials = $"{Uri.EscapeDataString(clientId)}:{Uri.EscapeDataString(secret)}";
        return new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
    }

    private void Authenticate(HttpRequestMessage request, List<KeyValuePair<string, string>> fields)
    {
        switch (AuthMethod)
        {
            case "client_secret_basic":
                request.Headers.Authorization = Basic(ClientId, Secret!);
                break;
            case "client_secret_post":
                fields.AddRange([new("client_id", ClientId), new("client_secret", Secret!)]);
                break;
            case "private_key_jwt":
                fields.AddRange(
                [
                    new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    new("client_assertion", Assertion!()),
                ]);
                break;
            default:
                fields.Add(new("client_id", ClientId));
                break;
        }
    }

    private async Task<AuthorizationWalk> WalkAsync(
        Browser browser,
        Page page,
        AuthorizationAttempt attempt,
        Person? person,
        CancellationToken ct)
    {
        var (signIns, consents) = (0, 0);
        Page? signInPage = null;
        AuthorizationAnswer? answer = null;
        for (var pages = 0; pages < MaximumPages && (answer = AnswerOf(page)) is null; pages++)
        {
            if (page.SignInForm is not null)
            {
                signInPage ??= page;
                if (person is null || signIns > 0)
                {
                    break;
                }

                signIns++;
                page = await browser.SignInAsync(page, person, ct);
            }
            else if (page.CodeForm is { } codeForm)
            {
                if (person?.App is not { } app)
                {
                    break;
                }

                page = await browser.SubmitAsync(
                    page, codeForm, new Dictionary<string, string?>(StringComparer.Ordinal) { ["code"] = app.NextCode() }, null, ct);
            }
            else if (Agreement(page) is { } agreement && person is not null)
            {
                consents++;
                page = await browser.SubmitAsync(page, agreement.Form, NoAnswers, agreement.Button, ct);
            }
            else
            {
                break;
            }
        }

        if (answer is not null)
        {
            Check.Equal(attempt["redirect_uri"] ?? RedirectUri, answer.Target, "address of the response");
            Check.Answer(answer, attempt, Provider);
        }

        return new AuthorizationWalk(attempt, answer, page, signIns, consents, signInPage);
    }

    /// <summary>A walk that was finished by hand, and ended on this page.</summary>
    public AuthorizationWalk WalkOf(AuthorizationAttempt attempt, Page page)
    {
        var answer = AnswerOf(page);
        if (answer is not null)
        {
            Check.Answer(answer, attempt, Provider);
        }

        return new AuthorizationWalk(attempt, answer, page, SignIns: 0, Consents: 0, SignInPage: null);
    }

    private static Dictionary<string, string?> NoAnswers { get; } = [];

    /// <summary>The form and button that say yes, on a page that asks something without a password.</summary>
    private static (IHtmlFormElement Form, IHtmlElement Button)? Agreement(Page page)
    {
        foreach (var form in page.Forms)
        {
            foreach (var button in Browser.Buttons(form))
            {
                var label = $"{button.TextContent} {button.GetAttribute("value")}";
                if (Says(label, _yes) && !Says(label, _no))
                {
                    return (form, button);
                }
            }
        }

        return null;
    }

    private static bool Says(string label, string[] words) =>
        words.Any(word => label.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static AuthorizationAnswer? AnswerOf(Page page)
    {
        if (page.Leaves)
        {
            var location = page.Location!;
            var mode = location.Fragment.Length > 1 ? "fragment" : "query";
            var encoded = mode == "fragment" ? location.Fragment[1..] : location.Query.TrimStart('?');
            return new AuthorizationAnswer(Decode(encoded), mode, location.GetLeftPart(UriPartial.Path));
        }

        if (page.FormPost is { } form)
        {
            Check.That(form.Method.Equals("post", StringComparison.OrdinalIgnoreCase), "form_post does not post.");
            var fields = form.Elements.OfType<IHtmlInputElement>()
                .Where(input => !string.IsNullOrEmpty(input.Name))
                .ToDictionary(input => input.Name!, input => input.Value, StringComparer.Ordinal);
            return new AuthorizationAnswer(fields, "form_post", page.ActionOf(form).AbsoluteUri);
        }

        return null;
    }

    private static Dictionary<string, string> Decode(string encoded)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in encoded.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            var name = Unescape(at < 0 ? pair : pair[..at]);
            Check.That(parameters.TryAdd(name, at < 0 ? "" : Unescape(pair[(at + 1)..])), $"{name} comes twice.");
        }

        return parameters;
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private void CheckTokens(TokenAnswer answer, string? nonce, string scope)
    {
        var now = Clock.GetUtcNow();
        if (Jwt.LooksLikeOne(answer.AccessToken!))
        {
            Check.AccessToken(Jwt.Parse(answer.AccessToken!), Provider, ClientId, now);
        }

        if (scope.Split(' ').Contains("openid"))
        {
            var idToken = answer.IdToken ?? throw new CheckFailedException("No ID token though openid was asked for.");
            Check.IdToken(idToken, Provider, ClientId, nonce, answer, now);
        }
        else
        {
            Check.That(answer.IdToken is null, "An ID token though openid was not asked for.");
        }
    }

}
