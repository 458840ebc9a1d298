namespace IdentityServer.Protocol.Revocations;

/// <summary>Where receipts are looked up. They are written with the endings (<see cref="IRevocationStore"/>).</summary>
public interface IReceiptStore
{
    ValueTask<Receipt?> FindAsync(string receiptId, CancellationToken ct);

    /// <summary>Receipts by instant, latest first: those before the given one.</summary>
    /// <param name="before">Where the last part ended; <see langword="null"/>: the latest.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="ct">Stops waiting.</param>
    ValueTask<IReadOnlyList<Receipt>> ListAsync(Receipt? before, int count, CancellationToken ct);

    /// <summary>How much died with it, counted now.</summary>
    ValueTask<Died> CountAsync(Receipt receipt, CancellationToken ct);

    /// <summary>How the logout notices to clients are doing.</summary>
    ValueTask<Told> CountNoticesAsync(Receipt receipt, CancellationToken ct);

    /// <summary>The servers that run, and whether each has heard of it.</summary>
    ValueTask<IReadOnlyList<NodeState>> ListNodesAsync(Receipt receipt, DateTimeOffset now, CancellationToken ct);
}

/// <summary>How much died with an ending.</summary>
/// <param name="Sessions">Sessions that were alive.</param>
/// <param name="Grants">Grants that were alive, each with its refresh tokens, codes and access tokens.</param>
/// <param name="RefreshFamilies">Those among them with a refresh token: each a line of tokens, of which the latest one worked.</param>
public sealed record Died(int Sessions, int Grants, int RefreshFamilies);

/// <summary>How many clients have been told of an ending (OpenID Connect Back-Channel Logout 1.0).</summary>
/// <param name="Waiting">Notices that wait for their next attempt.</param>
/// <param name="Delivered">Notices that were taken.</param>
/// <param name="Dead">Notices that were given up.</param>
public sealed record Told(int Waiting, int Delivered, int Dead);

/// <summary>A running server, seen from an ending.</summary>
/// <param name="Id">Made at its start.</param>
/// <param name="SeenAt">When it last wrote how far it has read.</param>
/// <param name="IsConfirmed">It refuses what ended.</param>
public sealed record NodeState(string Id, DateTimeOffset SeenAt, bool IsConfirmed);
