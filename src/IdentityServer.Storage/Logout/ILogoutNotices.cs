using IdentityServer.Protocol.Audit;

namespace IdentityServer.Storage.Logout;

/// <summary>
/// What clients are told when sessions end. The receipt of an ending is stored with it and is the intention to tell: from its sessions the
/// notices are made afterwards, by any node, so an ending costs the same however many sessions died with it.
/// </summary>
public interface ILogoutNotices
{
    /// <summary>Ids of receipts whose notices have not all been queued, the oldest first.</summary>
    ValueTask<IReadOnlyList<string>> UntoldAsync(int count, CancellationToken ct);

    /// <summary>
    /// Stores a notice for each client that took part in a session of the ending and wants to be told, and says on the receipt that this is
    /// done. Of several nodes that do so at once each notice is stored once. Answers how many this one stored.
    /// </summary>
    ValueTask<int> QueueAsync(string receiptId, DateTimeOffset now, CancellationToken ct);

    /// <summary>Clients that something is due for.</summary>
    ValueTask<IReadOnlyList<string>> DueClientsAsync(DateTimeOffset now, CancellationToken ct);

    /// <summary>What is due for a client, the longest overdue first.</summary>
    ValueTask<IReadOnlyList<LogoutNotice>> DueAsync(string clientId, DateTimeOffset now, int count, CancellationToken ct);

    /// <summary>
    /// Takes a notice to deliver it, until then nobody else will. Of several nodes one gets it; the others get <see langword="null"/>.
    /// Counts as an attempt from now on.
    /// </summary>
    ValueTask<LogoutNotice?> ClaimAsync(LogoutNotice due, DateTimeOffset until, CancellationToken ct);

    /// <summary>All that is due for a client waits until then; no attempt is counted.</summary>
    ValueTask PostponeAsync(string clientId, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <summary>The client took it.</summary>
    ValueTask RecordDeliveredAsync(LogoutNotice claimed, DateTimeOffset now, CancellationToken ct);

    /// <summary>It was not taken; <paramref name="next"/> is when it is tried again. Nothing happens when another node took it meanwhile.</summary>
    ValueTask RecordFailureAsync(LogoutNotice claimed, string error, DateTimeOffset next, CancellationToken ct);

    /// <summary>It is tried no more. False when another node took it meanwhile.</summary>
    ValueTask<bool> GiveUpAsync(LogoutNotice seen, string error, DateTimeOffset now, AuditEvent audit, CancellationToken ct);

    /// <summary>A notice that was given up is tried once more. False when there is no such notice.</summary>
    ValueTask<bool> RetryAsync(string id, DateTimeOffset now, AuditEvent audit, CancellationToken ct);

    /// <summary>The notices of an ending by client, 1 000 at most: who was told when, and who was not.</summary>
    ValueTask<IReadOnlyList<LogoutNotice>> ListAsync(string receiptId, CancellationToken ct);

    /// <summary>The notices that were given up, the latest first.</summary>
    ValueTask<IReadOnlyList<LogoutNotice>> DeadAsync(int count, CancellationToken ct);

    /// <summary>How it stands.</summary>
    ValueTask<LogoutCounts> CountAsync(DateTimeOffset since, CancellationToken ct);
}

/// <summary>How telling clients stands.</summary>
/// <param name="Untold">Endings whose notices have not all been queued.</param>
/// <param name="Waiting">Notices not delivered yet, and still tried.</param>
/// <param name="Delivered">Notices taken since the instant that was asked for.</param>
/// <param name="Dead">Notices given up.</param>
/// <param name="DeadLately">Of these, since the instant that was asked for.</param>
/// <param name="OldestAt">When the oldest that waits was made.</param>
public sealed record LogoutCounts(long Untold, long Waiting, long Delivered, long Dead, long DeadLately, DateTimeOffset? OldestAt);
