using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Clients;

/// <summary>
/// Where clients are kept. Every change is one transaction with its audit event and a <c>Changes</c> row. What ends all that a client was
/// given goes through the revoker: its removal, its disabling.
/// </summary>
public interface IClientStore
{
    ValueTask<Client?> FindAsync(string clientId, CancellationToken ct);

    /// <summary>All clients, by id.</summary>
    ValueTask<IReadOnlyList<Client>> ListAsync(CancellationToken ct);

    /// <summary>How long the self-contained access tokens of a client live; of no client in particular: the longest of all. <see langword="null"/>: there are none.</summary>
    ValueTask<TimeSpan?> LongestJwtLifetimeAsync(string? clientId, CancellationToken ct);

    /// <summary>False when the id is taken.</summary>
    ValueTask<bool> AddAsync(Client client, AuditEvent audit, CancellationToken ct);

    /// <summary>Saves if nobody saved since <see cref="Client.Version"/> was read; false when somebody did, or the client is gone.</summary>
    ValueTask<bool> UpdateAsync(Client client, AuditEvent audit, CancellationToken ct);
}

/// <summary>Remembers one-time values, such as the <c>jti</c> of a client assertion (RFC 7523 §3).</summary>
public interface IReplayStore
{
    /// <summary>True the first time this value is seen; one statement decides, also between nodes.</summary>
    ValueTask<bool> TryUseAsync(string purpose, string value, DateTimeOffset expiresAt, CancellationToken ct);
}
