namespace IdentityServer.Storage.SignIns;

/// <summary>What a WebAuthn ceremony is for. The numbers are stored.</summary>
public enum CeremonyKind
{
    /// <summary>Signing in with nothing else: user verification is required.</summary>
    SignIn = 0,

    /// <summary>A further factor for somebody who is known already.</summary>
    Factor = 1,

    /// <summary>A new passkey.</summary>
    Registration = 2,
}

/// <summary>
/// A WebAuthn ceremony under way (WebAuthn Level 3 §13.4.3: challenges are the server's own, and each is used once).
/// </summary>
public sealed record Ceremony
{
    /// <summary>Hash of the handle that the page holds.</summary>
    public required string Hash { get; init; }

    public required CeremonyKind Kind { get; init; }

    /// <summary>Hash of the browser's own handle: a ceremony is finished where it began.</summary>
    public required string BrowserHash { get; init; }

    /// <summary>Whose passkey it must be; <see langword="null"/>: anybody's.</summary>
    public string? Subject { get; init; }

    /// <summary>What the verifier must remember: the challenge and the options.</summary>
    public required string State { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}
