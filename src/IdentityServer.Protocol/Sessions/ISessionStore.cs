using IdentityServer.Protocol.Audit;

namespace IdentityServer.Protocol.Sessions;

/// <summary>Where sessions are kept. Ending one is <c>Revoker</c>'s deed.</summary>
public interface ISessionStore
{
    /// <summary>Stores a new session under the hash of its cookie's handle.</summary>
    ValueTask OpenAsync(Session session, string handleHash, AuditEvent audit, CancellationToken ct);

    /// <summary>
    /// The same person proved themselves again: a fresh handle replaces the old one (which stops working), and
    /// <c>auth_time</c>, <c>amr</c>, <c>acr</c> and the lifetimes move to those of <paramref name="session"/>. False when the session ended meanwhile.
    /// </summary>
    ValueTask<bool> RenewAsync(Session session, string handleHash, AuditEvent audit, CancellationToken ct);

    /// <summary>The session of a cookie, ended or not.</summary>
    ValueTask<Session?> FindByHandleAsync(string handleHash, CancellationToken ct);

    ValueTask<Session?> FindAsync(string sessionId, CancellationToken ct);

    /// <summary>Moves <see cref="Session.LastSeenAt"/> forward; callers do so at most once a minute.</summary>
    ValueTask TouchAsync(string sessionId, DateTimeOffset now, CancellationToken ct);

    /// <summary>Ids of the clients that were given something under the session.</summary>
    ValueTask<IReadOnlyList<string>> ListClientsAsync(string sessionId, CancellationToken ct);
}
