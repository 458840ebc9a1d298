namespace IdentityServer.Storage.Mail;

/// <summary>The links that were mailed. A deed that a link allows uses it in its own transaction.</summary>
public interface IMailLinks
{
    /// <summary>
    /// Stores a link with the mail that brings it, all or nothing. An earlier one of the same kind for the same person or address works no
    /// more: of two mails the later is the one to follow.
    /// </summary>
    /// <param name="link">The link.</param>
    /// <param name="mail">The mail; <see langword="null"/>: it is stored by somebody else.</param>
    /// <param name="ct">Stops before the commit.</param>
    ValueTask AddAsync(MailLink link, OutboxMail? mail, CancellationToken ct);

    /// <summary>The link while it may be used: for showing the page.</summary>
    ValueTask<MailLink?> FindOpenAsync(string hash, string kind, DateTimeOffset now, CancellationToken ct);

    /// <summary>Uses the link up. False when it may not be used (any more): of two at once, one is first.</summary>
    ValueTask<bool> UseAsync(string hash, string kind, DateTimeOffset now, CancellationToken ct);

    /// <summary>Every open link of the kind for the person works no more.</summary>
    ValueTask CloseAsync(string subject, string kind, DateTimeOffset now, CancellationToken ct);
}
