namespace IdentityServer.Storage.Mail;

/// <summary>A mail to be sent, kept until the mail server took it or it was given up.</summary>
public sealed record OutboxMail
{
    public required string Id { get; init; }

    /// <summary>Whom it is about; <see langword="null"/>: nobody who has an account.</summary>
    public string? Subject { get; init; }

    /// <summary>Which text it is, e.g. <c>password_reset</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Address, subject line and text, sealed: a mail holds links that are secrets. Erased when it was sent or given up.</summary>
    public string? Sealed { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is to be tried next; also when another node may take it from one that died. <see langword="null"/>: never again.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }

    public int Attempts { get; init; }

    public DateTimeOffset? SentAt { get; init; }

    /// <summary>When it was given up.</summary>
    public DateTimeOffset? DeadAt { get; init; }

    /// <summary>Why the last attempt failed. Holds no address.</summary>
    public string? Error { get; init; }
}
