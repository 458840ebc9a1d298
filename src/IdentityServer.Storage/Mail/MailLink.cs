namespace IdentityServer.Storage.Mail;

/// <summary>A link that was mailed: single use, for one deed.</summary>
public sealed record MailLink
{
    /// <summary><see cref="Kind"/> of a link that says: this was not me.</summary>
    public const string NotMe = "not_me";

    /// <summary>Hash of the handle in the link.</summary>
    public required string Hash { get; init; }

    /// <summary>What it does, e.g. <c>password_reset</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Whose it is; <see langword="null"/>: of somebody who has no account yet.</summary>
    public string? Subject { get; init; }

    /// <summary>The address it went to, where using it proves that address.</summary>
    public string? Email { get; init; }

    /// <summary>Hash of the handle of the browser that asked for it; <see langword="null"/>: it works in any.</summary>
    public string? BrowserHash { get; init; }

    /// <summary>Hash of the paused request it leads back to.</summary>
    public string? RequestHash { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }

    public DateTimeOffset? UsedAt { get; init; }
}
