namespace IdentityServer.Protocol;

/// <summary>
/// An error the specifications name and the client is told (RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core §3.1.2.6).
/// <see cref="Description"/> uses only the characters RFC 6749 allows and never repeats what was sent.
/// </summary>
/// <param name="Code">The <c>error</c> value.</param>
/// <param name="Description">The <c>error_description</c>: for the app's developer, in English.</param>
public sealed record ProtocolError(string Code, string Description)
{
    /// <summary>The HTTP status when the error is answered as JSON: 400 unless the specifications name another.</summary>
    public int Status { get; init; } = 400;

    /// <summary>The request parameter at fault, when one is.</summary>
    public string? Parameter { get; init; }

    /// <summary>More for our log; never sent to the client and free of secrets.</summary>
    public string? Detail { get; init; }

    /// <summary>The HTTP methods that would have been allowed, with status 405.</summary>
    public string? Allow { get; init; }

    public static ProtocolError ServerError { get; } =
        new("server_error", "The server could not complete the request.") { Status = 500 };

    public static ProtocolError TemporarilyUnavailable { get; } =
        new("temporarily_unavailable", "The server cannot answer right now. Try again shortly.") { Status = 503 };

    /// <summary>One answer for every failed client authentication (RFC 6749 §5.2); the reason goes to the log.</summary>
    public static ProtocolError InvalidClient(string? detail = null) =>
        new("invalid_client", "Client authentication failed.") { Status = 401, Detail = detail };

    public static ProtocolError InvalidRequest(string description, string? parameter = null) =>
        new("invalid_request", description) { Parameter = parameter };

    public static ProtocolError Missing(string parameter) =>
        new("invalid_request", $"The parameter {parameter} is missing.") { Parameter = parameter };

    public static ProtocolError InvalidGrant(string description, string? detail = null) =>
        new("invalid_grant", description) { Detail = detail };

    public static ProtocolError InvalidScope(string description) =>
        new("invalid_scope", description) { Parameter = "scope" };

    public static ProtocolError UnauthorizedClient(string description) => new("unauthorized_client", description);

    public static ProtocolError UnsupportedGrantType { get; } =
        new("unsupported_grant_type", "This server does not support the grant type.") { Parameter = "grant_type" };

    /// <summary>The bearer token is missing, malformed, expired or ended (RFC 6750 §3.1).</summary>
    public static ProtocolError InvalidToken(string? detail = null) =>
        new("invalid_token", "The access token is not valid.") { Status = 401, Detail = detail };

    /// <summary>The token is good but not for this (RFC 6750 §3.1).</summary>
    public static ProtocolError InsufficientScope(string scope) =>
        new("insufficient_scope", $"The access token needs the scope {scope}.") { Status = 403, Parameter = scope };
}
