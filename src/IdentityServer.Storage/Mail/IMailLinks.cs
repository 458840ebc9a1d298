using IdentityServer.Protocol.Audit;

namespace IdentityServer.Storage.Mail;

/// <summary>The links that were mailed. A deed that a link allows uses it in its own transaction.</summary>
public interface IMailLinks
{
    /// <summary>
    /// Stores a link with the mail that brings it, and the event that tells of it, all or nothing.
    /// </summary>
    /// <param name="link">The link.</param>
    /// <param name="mail">The mail; <see langword="null"/>: it is stored by somebody else.</param>
    /// <param name="replaces">An earlier one of the same kind for the same person or address works no more: of two mails the later is the one to follow.</param>
    /// <param name="audit">Tells of it; <see langword="null"/>: nothing is to be told.</param>
    /// <param name="ct">Stops before the commit.</param>
    ValueTask AddAsync(MailLink link, OutboxMail? mail, bool replaces, AuditEvent? audit, CancellationToken ct);

    /// <summary>The link while it may be used: for showing the page.</summary>
    ValueTask<MailLink?> FindOpenAsync(string hash, string kind, DateTimeOffset now, CancellationToken ct);

    /// <summary>Uses the link up. False when it may not be used (any more): of two at once, one is first.</summary>
    ValueTask<bool> UseAsync(string hash, string kind, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Uses up a link by which a person proves an address, and makes it theirs in the same transaction: their own is proven now, another one
    /// takes its place. False, with nothing done, when the link may not be used or the address has become another person's.
    /// </summary>
    ValueTask<bool> ProveEmailAsync(string hash, string kind, DateTimeOffset now, EmailChange change, CancellationToken ct);

    /// <summary>Every open link of the kind for the person works no more.</summary>
    ValueTask CloseAsync(string subject, string kind, DateTimeOffset now, CancellationToken ct);
}

/// <summary>What goes with a proven address.</summary>
/// <param name="Verified">Tells that the person's own address is proven.</param>
/// <param name="Changed">Tells that they have another one.</param>
/// <param name="Notice">The mail to the address that was, when there is another one now.</param>
public sealed record EmailChange(AuditEvent Verified, AuditEvent Changed, OutboxMail? Notice);
