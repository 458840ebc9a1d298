using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using IdentityServer.Protocol;

namespace IdentityServer.Admin;

/// <summary>What the admin API answers: JSON, or a problem (RFC 9457).</summary>
internal sealed record AdminAnswer(int Status, string ContentType, ReadOnlyMemory<byte> Body)
{
    /// <summary>Where to find what was made.</summary>
    public string? Location { get; init; }

    /// <summary>The methods that would have been allowed, with status 405.</summary>
    public string? Allow { get; init; }

    /// <summary>What a caller without the right token is told (RFC 6750 §3).</summary>
    public string? Challenge { get; init; }

    public static AdminAnswer Of<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        new(status, "application/json", JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>A problem.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="code">A fixed word; the type is made of it.</param>
    /// <param name="title">What it means, the same every time.</param>
    /// <param name="detail">What happened this time.</param>
    /// <param name="earliest">When it would have been possible.</param>
    public static AdminAnswer Problem(int status, string code, string title, string detail, DateTimeOffset? earliest = null) => new(
        status,
        "application/problem+json",
        JsonSerializer.SerializeToUtf8Bytes(
            new AdminProblem($"urn:identityserver:{code}", title, status, detail, code, earliest), AdminJson.Plain.AdminProblem));

    /// <summary>The request cannot be understood.</summary>
    public static AdminAnswer Malformed(string detail, int status = StatusCodes.Status400BadRequest) =>
        Problem(status, "invalid_request", "The request is not understood", detail);

    /// <summary>The caller may not: no token, not this token, or not this person.</summary>
    public static AdminAnswer Refused(ProtocolError error, string issuer)
    {
        var challenge = $"Bearer realm=\"{issuer}\"";
        return Problem(error.Status, error.Code, TitleOf(error.Code), error.Description) with
        {
            // RFC 6750 §3: no error code when no token was sent.
            Challenge = error.Code == AdminAccess.NoToken.Code ? challenge
                : $"{challenge}, error=\"{(error.Status == 401 ? error.Code : "insufficient_scope")}\", error_description=\"{error.Description}\""
                    + (error.Parameter is { } scope ? $", scope=\"{scope}\"" : "")
                    + (error.Code == "insufficient_user_authentication" ? ", " + AdminAccess.StrongerProofChallenge : ""),
        };
    }

    private static string TitleOf(string code) => code switch
    {
        "insufficient_scope" => "The access token is not for this",
        "no_role" => "The person may not do this",
        "insufficient_user_authentication" => "A stronger or fresher sign-in is needed",
        "no_token" => "An access token is needed",
        _ => "The access token is not valid",
    };
}
