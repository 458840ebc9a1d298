using System.Buffers.Text;
using System.Text.Json.Nodes;

namespace IdentityServer.Testing;

/// <summary>
/// The checks that the OpenID Foundation's conformance suite makes in every module, and a few more.
/// Each throws <see cref="CheckFailedException"/> and says what is wrong.
/// </summary>
public static class Check
{
    private static readonly string[] _tokenErrors =
    [
        "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
        "invalid_scope",
    ];

    private static readonly string[] _answerParameters =
        ["code", "state", "iss", "error", "error_description", "error_uri"];

    private static readonly string[] _personalClaims = ["name", "email", "address", "phone_number", "updated_at"];

    private static readonly string[] _accessTokenClaims = ["exp", "aud", "sub", "iat", "jti"];

    private static readonly string[] _privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    public static void That(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new CheckFailedException(otherwise);
        }
    }

    public static void Equal<T>(T expected, T actual, string what) =>
        That(EqualityComparer<T>.Default.Equals(expected, actual), $"Wrong {what}: {actual}; expected {expected}.");

    /// <summary>No private or symmetric material; each key parses, has a <c>kid</c>, and no two share one.</summary>
    public static void Jwks(JsonObject jwks)
    {
        var keys = jwks["keys"]!.AsArray().OfType<JsonObject>().ToArray();
        That(keys.Length > 0, "The JWKS has no key.");
        foreach (var key in keys)
        {
            That(!_privateMembers.Any(key.ContainsKey), $"The JWKS shows private parts of {key["kid"]}.");
            That(!string.IsNullOrEmpty((string?)key["kid"]), "A key has no kid.");
            That((string?)key["use"] == "sig", $"The use of {key["kid"]} is not sig.");
            var (first, second) = (string?)key["kty"] switch
            {
                "RSA" => ("n", "e"),
                "EC" => ("x", "y"),
                var type => throw new CheckFailedException($"A key of the type {type}."),
            };
            That(IsBase64Url(key[first]) && IsBase64Url(key[second]), $"{key["kid"]} is no base64url.");
        }

        That(keys.DistinctBy(key => (string?)key["kid"]).Count() == keys.Length, "Two keys share a kid.");
    }

    /// <summary>The rules for an authorization response, success or error (RFC 6749 §4.1.2, RFC 9207).</summary>
    public static void Answer(AuthorizationAnswer answer, AuthorizationAttempt attempt, OpenIdProvider provider)
    {
        var parameters = answer.Parameters;
        var extra = parameters.Keys.Except(_answerParameters).ToArray();
        That(extra.Length == 0, $"The response has extra parameters: {string.Join(' ', extra)}.");
        Equal(attempt["state"], parameters.GetValueOrDefault("state"), "state");
        Equal(provider.Issuer, parameters.GetValueOrDefault("iss"), "iss in the response");
        Equal(attempt["response_mode"] ?? "query", answer.Mode, "response mode");
        if (answer.Error is null)
        {
            That(answer.Code is not null, "The response has neither code nor error.");
            Handle(answer.Code!, "code");
            return;
        }

        That(answer.Code is null, "The error response carries a code.");
        Description(parameters.GetValueOrDefault("error_description"));
        That(
            !parameters.TryGetValue("error_uri", out var about) || Uri.TryCreate(about, UriKind.Absolute, out _),
            "error_uri is no URI.");
    }

    /// <summary>The rules for a success of the token endpoint (RFC 6749 §5.1).</summary>
    public static void Tokens(TokenAnswer answer)
    {
        That(answer.Status == 200, $"The token endpoint answers {answer.Status} {answer.Error}.");
        Equal("application/json", answer.MediaType, "content type of the token response");
        That(answer.CacheControl.Contains("no-store", StringComparison.Ordinal), "The token response may be cached.");
        That(IsPrintable(answer.AccessToken ?? ""), "The access token has illegal characters.");
        Equal("Bearer", answer.TokenType, "token type");
        That(answer.ExpiresIn is > 0 and < 86_400, $"expires_in is {answer.ExpiresIn}.");
        if (!Jwt.LooksLikeOne(answer.AccessToken!))
        {
            Handle(answer.AccessToken!, "access token");
        }

        if (answer.RefreshToken is { } refresh)
        {
            Handle(refresh, "refresh token");
        }
    }

    /// <summary>The rules for an error of the token endpoint (RFC 6749 §5.2).</summary>
    public static void TokenError(TokenAnswer answer, string expected)
    {
        Equal(expected, answer.Error, "error");
        That(_tokenErrors.Contains(answer.Error), $"{answer.Error} is no error of the token endpoint.");
        Equal(expected == "invalid_client" ? 401 : 400, answer.Status, $"status of {expected}");
        Equal("application/json", answer.MediaType, "content type of the error");
        That(answer.CacheControl.Contains("no-store", StringComparison.Ordinal), "The error may be cached.");
        That(answer.AccessToken is null && answer.RefreshToken is null, "The error carries tokens.");
        Description((string?)answer.Json["error_description"]);
    }

    /// <summary>The rules for an ID token (OpenID Connect Core §2, §3.1.3.7).</summary>
    public static void IdToken(
        Jwt token,
        OpenIdProvider provider,
        string clientId,
        string? nonce,
        TokenAnswer issued,
        DateTimeOffset now)
    {
        token.Verify(provider.Jwks);
        Equal(provider.Issuer, token["iss"], "iss of the ID token");
        Audience(token, clientId);

        var issuedAt = Instant(token, "iat");
        That((now - issuedAt).Duration() <= TimeSpan.FromMinutes(5), $"iat is {issuedAt:O}.");
        var expires = Instant(token, "exp");
        That(expires > now && expires < now.AddYears(50), $"exp is {expires:O}.");
        if (token.Claims.ContainsKey("auth_time"))
        {
            var authenticated = Instant(token, "auth_time");
            var isSane = authenticated > now.AddYears(-1) && authenticated <= now.AddMinutes(5);
            That(isSane, $"auth_time is {authenticated:O}.");
        }

        Equal(nonce, token["nonce"], "nonce");
        That(IsSubject(token["sub"] ?? ""), "sub is empty, too long or not ASCII.");
        That(!token.Claims.ContainsKey("acr") || !string.IsNullOrEmpty(token["acr"]), "acr is empty.");
        if (token["at_hash"] is { } accessHash)
        {
            Equal(token.HalfHashOf(issued.AccessToken!), accessHash, "at_hash");
        }

        var personal = _personalClaims.Where(token.Claims.ContainsKey).ToArray();
        That(personal.Length == 0, $"The ID token carries {string.Join(' ', personal)}, which belongs in UserInfo.");
    }

    /// <summary>A JWT access token has the form of RFC 9068.</summary>
    public static void AccessToken(Jwt token, OpenIdProvider provider, string clientId, DateTimeOffset now)
    {
        token.Verify(provider.Jwks);
        That(token.Type is "at+jwt" or "application/at+jwt", $"typ is {token.Type}.");
        Equal(provider.Issuer, token["iss"], "iss of the access token");
        Equal(clientId, token["client_id"], "client_id of the access token");
        foreach (var claim in _accessTokenClaims)
        {
            That(token.Claims.ContainsKey(claim), $"The access token has no {claim}.");
        }

        That(Instant(token, "exp") > now, "The access token is born expired.");
        That((now - Instant(token, "iat")).Duration() <= TimeSpan.FromMinutes(5), "iat of the access token is off.");
    }

    /// <summary>At least 128 bits long, and at least 96 bits of entropy as far as the characters show.</summary>
    public static void Handle(string value, string what)
    {
        var entropy = value.GroupBy(letter => letter)
            .Select(group => (double)group.Count() / value.Length)
            .Sum(share => -share * Math.Log2(share)) * value.Length;
        That(value.Length * 8 >= 128 && entropy >= 96, $"The {what} is easier to guess than it should be.");
    }

    /// <summary>Human text for developers in the characters of RFC 6749 §4.1.2.1.</summary>
    public static void Description(string? text) =>
        That(text is null || IsDescription(text), "error_description has characters outside RFC 6749.");

    private static void Audience(Jwt token, string clientId)
    {
        var audience = token.Claims["aud"] switch
        {
            JsonArray several => several.Select(entry => (string?)entry).ToArray(),
            { } one => [(string?)one],
            null => [],
        };
        That(audience.Contains(clientId), "The ID token is for somebody else.");
        That(audience.Length == 1 || token["azp"] == clientId, "Several audiences and no azp.");
    }

    public static DateTimeOffset Instant(Jwt token, string claim)
    {
        That(
            token.Claims[claim] is JsonValue value && value.TryGetValue<long>(out _),
            $"{claim} is missing or no whole number.");
        return DateTimeOffset.FromUnixTimeSeconds((long)token.Claims[claim]!);
    }

    private static bool IsBase64Url(JsonNode? part) => part is not null && Base64Url.IsValid((string)part!);

    /// <summary>VSCHAR of RFC 6749 appendix A.</summary>
    private static bool IsPrintable(string text) => text.Length > 0 && text.All(letter => letter is >= ' ' and <= '~');

    private static bool IsSubject(string text) => text.Length is > 0 and <= 255 && text.All(char.IsAscii);

    /// <summary>NQSCHAR of RFC 6749 appendix A.</summary>
    private static bool IsDescription(string text) =>
        text.All(letter => letter is >= ' ' and <= '~' and not '"' and not '\\');
}
