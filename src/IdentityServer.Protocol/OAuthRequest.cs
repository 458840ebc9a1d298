namespace IdentityServer.Protocol;

/// <summary>What the specifications see of an HTTP request: its parameters, its credentials, and where it came from.</summary>
public sealed record OAuthRequest(Parameters Parameters)
{
    /// <summary>The HTTP method in capitals.</summary>
    public string Method { get; init; } = "GET";

    /// <summary>The <c>Authorization</c> header as sent.</summary>
    public string? Authorization { get; init; }

    /// <summary>The <c>Accept</c> header as sent.</summary>
    public string? Accept { get; init; }

    /// <summary>The session cookie's value: a handle, never a session id.</summary>
    public string? SessionHandle { get; init; }

    /// <summary>The <c>Last-Event-ID</c> header: where a reader of an event stream stopped.</summary>
    public string? LastEventId { get; init; }

    /// <summary>The caller's network address as text, for the audit log.</summary>
    public string? Address { get; init; }
}
