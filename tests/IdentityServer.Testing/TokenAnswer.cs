using System.Globalization;
using System.Text.Json.Nodes;

namespace IdentityServer.Testing;

/// <summary>What an endpoint for programs answered: status, headers and JSON, never interpreted beyond that.</summary>
public sealed class TokenAnswer
{
    private TokenAnswer(HttpResponseMessage response, string text)
    {
        Status = (int)response.StatusCode;
        Text = text;
        Json = Page.JsonOrNull(text) ?? [];
        MediaType = response.Content.Headers.ContentType?.MediaType;
        CacheControl = response.Headers.CacheControl?.ToString() ?? "";
        WwwAuthenticate = response.Headers.WwwAuthenticate.ToString();
    }

    public int Status { get; }

    public string Text { get; }

    /// <summary>The body; empty when it was no JSON object.</summary>
    public JsonObject Json { get; }

    public string? MediaType { get; }

    public string CacheControl { get; }

    public string WwwAuthenticate { get; }

    public string? Error => Member("error");

    public string? AccessToken => Member("access_token");

    public string? RefreshToken => Member("refresh_token");

    public string? TokenType => Member("token_type");

    public string? Scope => Member("scope");

    public int? ExpiresIn =>
        Json["expires_in"] is JsonValue value && value.TryGetValue<int>(out var seconds) ? seconds : null;

    public Jwt? IdToken => Member("id_token") is { } text ? Jwt.Parse(text) : null;

    /// <summary>Introspection says so (RFC 7662 §2.2).</summary>
    public bool IsActive => Json["active"] is JsonValue value && value.TryGetValue<bool>(out var active) && active;

    public bool Succeeded => Status == 200;

    public static async Task<TokenAnswer> ReadAsync(HttpResponseMessage response, CancellationToken ct) =>
        new(response, await response.Content.ReadAsStringAsync(ct));

    private string? Member(string name) =>
        Json[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    /// <summary>Status and error; never a token.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Status} {Error}");
}
