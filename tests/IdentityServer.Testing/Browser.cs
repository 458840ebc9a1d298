using System.Net;
using System.Text;
using AngleSharp.Html.Dom;

namespace IdentityServer.Testing;

/// <summary>A browser without a screen: keeps cookies, follows redirects within the server, fills in forms.</summary>
public sealed class Browser(HttpClient http)
{
    private const int MaximumRedirects = 20;

    public CookieJar Cookies { get; } = new();

    /// <summary>Headers that go along with every request, as a proxy in front of the server would add them.</summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>An HTTP client that keeps no cookies and follows no redirects of its own.</summary>
    public static HttpClient CreateClient(TimeSpan? timeout = null) => new(new SocketsHttpHandler
    {
        UseCookies = false,
        AllowAutoRedirect = false,
        UseProxy = false,

        // Tests send what no well-behaved client would.
        RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20),
    })
    {
        Timeout = timeout ?? TimeSpan.FromSeconds(60),
    };

    /// <summary>One request with the cookies that belong to it; redirects are not followed.</summary>
    public async Task<Page> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var address = request.RequestUri!;
        var crossSite = request.Headers.TryGetValues("Sec-Fetch-Site", out var site) && site.First() == "cross-site";
        var cookies = Cookies.Header(address, crossSite && request.Method == HttpMethod.Post);
        if (cookies is not null)
        {
            request.Headers.Add("Cookie", cookies);
        }

        foreach (var (name, value) in Headers)
        {
            request.Headers.Add(name, value);
        }

        if (request.Headers.Accept.Count == 0)
        {
            request.Headers.Add("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        }

        using var response = await http.SendAsync(request, ct);
        var body = await response.Content.ReadAsByteArrayAsync(ct);
        Cookies.Store(address, response);
        return new Page(address, response, body);
    }

    /// <summary>Opens an address as if it had been typed or a link followed.</summary>
    public Task<Page> OpenAsync(Uri address, CancellationToken ct) => NavigateAsync(address, "none", ct);

    /// <summary>A form of another site posts here.</summary>
    public async Task<Page> PostFromElsewhereAsync(
        Uri address,
        IEnumerable<KeyValuePair<string, string>> fields,
        CancellationToken ct)
    {
        using var request = Navigation(HttpMethod.Post, address, "cross-site");
        request.Headers.Add("Origin", "https://elsewhere.example");
        request.Content = new FormUrlEncodedContent(fields);
        return await FollowAsync(await SendAsync(request, ct), "cross-site", ct);
    }

    /// <summary>Fills in a form of a page and sends it.</summary>
    /// <param name="page">The page the form is on.</param>
    /// <param name="form">The form.</param>
    /// <param name="answers">What is typed or ticked, by field name; <see langword="null"/> leaves a field out.</param>
    /// <param name="button">The button pressed; <see langword="null"/>: the first.</param>
    /// <param name="ct">Stops waiting.</param>
    public async Task<Page> SubmitAsync(
        Page page,
        IHtmlFormElement form,
        IReadOnlyDictionary<string, string?> answers,
        IHtmlElement? button,
        CancellationToken ct)
    {
        button ??= Buttons(form).FirstOrDefault();
        var action = button?.GetAttribute("formaction") is { Length: > 0 } own
            ? new Uri(page.Address, own)
            : page.ActionOf(form);
        var fields = Fields(form, answers, button);

        if (!form.Method.Equals("post", StringComparison.OrdinalIgnoreCase))
        {
            var query = string.Join('&', fields.Select(field =>
                $"{Uri.EscapeDataString(field.Key)}={Uri.EscapeDataString(field.Value)}"));
            return await NavigateAsync(new UriBuilder(action) { Query = query }.Uri, "same-origin", ct);
        }

        using var request = Navigation(HttpMethod.Post, action, "same-origin");
        request.Headers.Add("Origin", action.GetLeftPart(UriPartial.Authority));
        request.Headers.Referrer = page.Address;
        request.Content = new FormUrlEncodedContent(fields);
        var answer = await SendAsync(request, ct);
        if (answer.Status is HttpStatusCode.RedirectKeepVerb or HttpStatusCode.PermanentRedirect)
        {
            throw new CheckFailedException($"{action.AbsolutePath} sends the posted form on (RFC 9700 §4.12).");
        }

        return await FollowAsync(answer, "same-origin", ct);
    }

    /// <summary>Types name and password into the sign-in form of a page, and then a code if the person has an app and one is asked for.</summary>
    public async Task<Page> SignInAsync(Page page, Person person, CancellationToken ct)
    {
        var next = await TypePasswordAsync(page, person, ct);
        return person.App is { } app && next.CodeForm is not null ? await this.TypeCodeAsync(next, app.NextCode(), remember: false, ct) : next;
    }

    private Task<Page> TypePasswordAsync(Page page, Person person, CancellationToken ct)
    {
        var form = page.SignInForm ?? throw new CheckFailedException($"No sign-in form here: {page}");
        var password = Page.PasswordOf(form)!;
        var name = form.Elements.OfType<IHtmlInputElement>()
            .First(input => input.Type is "text" or "email" or "" && !string.IsNullOrEmpty(input.Name));
        var answers = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [name.Name!] = person.UserName,
            [password.Name!] = person.Password,
        };
        return SubmitAsync(page, form, answers, null, ct);
    }

    public static IEnumerable<IHtmlElement> Buttons(IHtmlFormElement form) =>
        form.Elements.OfType<IHtmlElement>().Where(element => element switch
        {
            IHtmlButtonElement button => button.Type is null or "" or "submit",
            IHtmlInputElement input => input.Type == "submit",
            _ => false,
        });

    private async Task<Page> NavigateAsync(Uri address, string site, CancellationToken ct)
    {
        using var request = Navigation(HttpMethod.Get, address, site);
        return await FollowAsync(await SendAsync(request, ct), site, ct);
    }

    private async Task<Page> FollowAsync(Page page, string site, CancellationToken ct)
    {
        for (var hops = 0; page.IsRedirect && !page.Leaves; hops++)
        {
            if (hops == MaximumRedirects)
            {
                throw new CheckFailedException($"Redirected in circles: {page.Location}");
            }

            using var request = Navigation(HttpMethod.Get, page.Location!, site);
            page = await SendAsync(request, ct);
        }

        return page;
    }

    private static HttpRequestMessage Navigation(HttpMethod method, Uri address, string site)
    {
        var request = new HttpRequestMessage(method, address);
        request.Headers.Add("Sec-Fetch-Mode", "navigate");
        request.Headers.Add("Sec-Fetch-Dest", "document");
        request.Headers.Add("Sec-Fetch-Site", site);
        request.Headers.Add("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Tests");
        return request;
    }

    private static List<KeyValuePair<string, string>> Fields(
        IHtmlFormElement form,
        IReadOnlyDictionary<string, string?> answers,
        IHtmlElement? pressed)
    {
        var fields = new List<KeyValuePair<string, string>>();
        foreach (var element in form.Elements.OfType<IHtmlElement>())
        {
            var name = element.GetAttribute("name");
            if (string.IsNullOrEmpty(name) || element.HasAttribute("disabled"))
            {
                continue;
            }

            if (element is IHtmlButtonElement or IHtmlInputElement { Type: "submit" or "button" or "image" })
            {
                if (element == pressed)
                {
                    fields.Add(new(name, element.GetAttribute("value") ?? ""));
                }

                continue;
            }

            if (answers.TryGetValue(name, out var answer))
            {
                if (answer is not null)
                {
                    fields.Add(new(name, answer));
                }

                continue;
            }

            if (element is IHtmlInputElement { Type: "checkbox" or "radio" } box && !box.IsChecked)
            {
                continue;
            }

            fields.Add(new(name, ValueOf(element)));
        }

        return fields;
    }

    private static string ValueOf(IHtmlElement element) => element switch
    {
        IHtmlInputElement { Type: "checkbox" or "radio" } box => box.GetAttribute("value") ?? "on",
        IHtmlInputElement input => input.Value ?? "",
        IHtmlSelectElement select => select.Value ?? "",
        IHtmlTextAreaElement area => area.Value ?? "",
        _ => "",
    };
}
