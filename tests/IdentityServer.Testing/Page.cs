using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using AngleSharp.Html.Dom;
using AngleSharp.Html.Parser;

namespace IdentityServer.Testing;

/// <summary>What a request was answered with, wherever redirects within the server led.</summary>
public sealed class Page
{
    private readonly Lazy<IHtmlDocument> _document;

    internal Page(Uri address, HttpResponseMessage response, byte[] body)
    {
        Address = address;
        Status = response.StatusCode;
        Headers = response.Headers;
        ContentHeaders = response.Content.Headers;
        Body = body;
        Text = Encoding.UTF8.GetString(body);
        Location = response.Headers.Location is { } location ? new Uri(address, location) : null;
        _document = new Lazy<IHtmlDocument>(() => new HtmlParser().ParseDocument(Text));
    }

    public Uri Address { get; }

    public HttpStatusCode Status { get; }

    public HttpResponseHeaders Headers { get; }

    public HttpContentHeaders ContentHeaders { get; }

    public ReadOnlyMemory<byte> Body { get; }

    public string Text { get; }

    /// <summary>Where a redirect points, made absolute.</summary>
    public Uri? Location { get; }

    public bool IsRedirect => (int)Status is >= 300 and < 400 && Location is not null;

    /// <summary>The redirect leaves the server: to a relying party.</summary>
    public bool Leaves => IsRedirect && !SameOrigin(Location!, Address);

    public string? MediaType => ContentHeaders.ContentType?.MediaType;

    public bool IsHtml => MediaType == "text/html";

    public IHtmlDocument Document => _document.Value;

    public IEnumerable<IHtmlFormElement> Forms => IsHtml ? Document.Forms : [];

    /// <summary>The form that asks for a password.</summary>
    public IHtmlFormElement? SignInForm => Forms.FirstOrDefault(form => PasswordOf(form) is not null);

    /// <summary>The form that asks for a code of an authenticator app.</summary>
    public IHtmlFormElement? CodeForm => Forms.FirstOrDefault(form => form.QuerySelector("input.code") is not null);

    /// <summary>A form that posts an authorization response to another origin.</summary>
    public IHtmlFormElement? FormPost => Forms.FirstOrDefault(form => !SameOrigin(ActionOf(form), Address));

    public JsonObject? Json => JsonOrNull(Text);

    public string? Header(string name) =>
        Headers.TryGetValues(name, out var values) || ContentHeaders.TryGetValues(name, out values)
            ? string.Join(", ", values)
            : null;

    public Uri ActionOf(IHtmlFormElement form) =>
        new(Address, form.GetAttribute("action") is { Length: > 0 } action ? action : Address.AbsoluteUri);

    public static IHtmlInputElement? PasswordOf(IHtmlFormElement form) =>
        form.Elements.OfType<IHtmlInputElement>().FirstOrDefault(input => input.Type == "password");

    internal static JsonObject? JsonOrNull(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }

    private static bool SameOrigin(Uri one, Uri other) =>
        one.GetLeftPart(UriPartial.Authority) == other.GetLeftPart(UriPartial.Authority);

    public override string ToString() => $"{(int)Status} {Address.AbsolutePath} {Excerpt()}";

    private string Excerpt()
    {
        var text = IsHtml ? Document.Body?.TextContent ?? "" : Text;
        var words = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return words.Length > 300 ? words[..300] : words;
    }
}
