using IdentityServer.Protocol.Audit;

namespace IdentityServer.Storage.Mail;

/// <summary>
/// The mails to be sent. A mail that belongs to a deed is stored in the deed's own transaction (<see cref="ServerDb.OutboxMails"/>), so
/// that none is sent for what did not happen and none is lost for what did.
/// </summary>
public interface IOutbox
{
    /// <summary>Stores a mail that belongs to no other deed.</summary>
    ValueTask AddAsync(OutboxMail mail, CancellationToken ct);

    /// <summary>The mails whose time has come, the longest overdue first.</summary>
    ValueTask<IReadOnlyList<OutboxMail>> DueAsync(DateTimeOffset now, int count, CancellationToken ct);

    /// <summary>
    /// Takes a mail to send it, until then nobody else will. Of several nodes one gets it; the others get <see langword="null"/>. Counts as
    /// an attempt from now on: a mail that ends the process is not tried for ever.
    /// </summary>
    ValueTask<OutboxMail?> ClaimAsync(OutboxMail due, DateTimeOffset until, CancellationToken ct);

    /// <summary>The mail server took it: what it said is erased.</summary>
    ValueTask RecordSentAsync(OutboxMail claimed, DateTimeOffset now, CancellationToken ct);

    /// <summary>It was not sent; <paramref name="next"/> is when it is tried again. Nothing happens when another node took it meanwhile.</summary>
    ValueTask RecordFailureAsync(OutboxMail claimed, string error, DateTimeOffset next, CancellationToken ct);

    /// <summary>
    /// It is tried no more. False when another node took it meanwhile. What it said is kept for a retry only if
    /// <paramref name="keepContent"/>.
    /// </summary>
    ValueTask<bool> GiveUpAsync(
        OutboxMail claimed, string error, bool keepContent, DateTimeOffset now, AuditEvent audit, CancellationToken ct);

    /// <summary>A mail that was given up, and whose content is still there, is tried once more. False when there is no such mail.</summary>
    ValueTask<bool> RetryAsync(string id, DateTimeOffset now, AuditEvent audit, CancellationToken ct);

    /// <summary>The latest mails, without what they say.</summary>
    ValueTask<IReadOnlyList<OutboxMail>> LatestAsync(int count, CancellationToken ct);

    /// <summary>The mails that were given up, the latest first, without what they say.</summary>
    ValueTask<IReadOnlyList<OutboxMail>> DeadAsync(int count, CancellationToken ct);

    /// <summary>How many there are.</summary>
    ValueTask<OutboxCounts> CountAsync(DateTimeOffset sentSince, CancellationToken ct);
}

/// <summary>How the outbox stands.</summary>
/// <param name="Waiting">Not sent yet, and still tried.</param>
/// <param name="Sent">Sent since the instant that was asked for.</param>
/// <param name="Dead">Given up.</param>
public sealed record OutboxCounts(long Waiting, long Sent, long Dead);
