using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Protocol.Subjects;

namespace IdentityServer.Protocol.Authorize;

/// <summary>An authorization request that passed every check of its own (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1).</summary>
public sealed record AuthorizeRequest
{
    public required Client Client { get; init; }

    public required ReturnAddress ReturnTo { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required string CodeChallenge { get; init; }

    public string? Nonce { get; init; }

    /// <summary>When the person's browser first brought it.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary><c>prompt=none</c>: no page may be shown.</summary>
    public bool IsSilent { get; init; }

    /// <summary><c>prompt=login</c>.</summary>
    public bool ForcesSignIn { get; init; }

    /// <summary><c>prompt=consent</c>.</summary>
    public bool ForcesConsent { get; init; }

    /// <summary><c>prompt=select_account</c>.</summary>
    public bool ForcesChoice { get; init; }

    /// <summary>How old the sign-in may be: <c>max_age</c>, else what the client registered.</summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>How strong it must be.</summary>
    public AcrRequirement RequiredAcr { get; init; } = AcrRequirement.None;

    /// <summary>The person the app expects, by <c>id_token_hint</c> or a <c>sub</c> in <c>claims</c>.</summary>
    public string? ExpectedSubject { get; init; }

    public ClaimsRequest Claims { get; init; } = ClaimsRequest.None;

    /// <summary><c>claims</c> as sent.</summary>
    public string? ClaimsText { get; init; }

    public string? UiLocales { get; init; }
}

/// <summary>Where and how the answer goes: an address that was checked against the client's registration.</summary>
/// <param name="RedirectUri">Exactly as registered (or with the port of a native app's loopback address).</param>
/// <param name="Mode">How the parameters travel.</param>
/// <param name="State">Echoed unchanged.</param>
public sealed record ReturnAddress(string RedirectUri, ResponseMode Mode, string? State);

/// <summary><c>response_mode</c> (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).</summary>
public enum ResponseMode
{
    Query,
    Fragment,
    FormPost,
}
