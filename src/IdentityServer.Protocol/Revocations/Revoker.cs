using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Sessions;

namespace IdentityServer.Protocol.Revocations;

/// <summary>
/// The only way anything is ended. Each method is one transaction, known to this node when it returns and to the others
/// by the change log.
/// </summary>
public sealed class Revoker(IRevocationStore store, RevocationList list, IEnumerable<IReuseWatch> watches, TimeProvider clock)
{
    // A revocation outlives every access token it ends.
    private static readonly TimeSpan Remembered = ClientDraft.LongestLifetime + TimeSpan.FromHours(1);

    /// <summary>Ends one access token, self-contained or reference.</summary>
    public async ValueTask EndTokenAsync(string tokenId, string? referenceHash, Cause cause, CancellationToken ct)
    {
        var revocation = Revocation(RevocationKind.Token, tokenId);
        await store.EndTokenAsync(revocation, referenceHash, cause.Event(AuditTypes.TokenRevoked, revocation.At), ct);
        list.Add(revocation);
    }

    /// <summary>Ends a grant because something spent was presented again, and tells who watches for that, once.</summary>
    public async ValueTask EndReusedGrantAsync(Grant grant, Cause cause, CancellationToken ct)
    {
        if (await EndGrantAsync(grant, cause, ct))
        {
            foreach (var watch in watches)
            {
                await watch.NoticeAsync(grant, cause.Address, ct);
            }
        }
    }

    /// <summary>Ends a grant and everything issued under it; false when it had ended.</summary>
    public async ValueTask<bool> EndGrantAsync(Grant grant, Cause cause, CancellationToken ct)
    {
        var revocation = Revocation(RevocationKind.Grant, grant.Id);
        var audit = cause.Event(AuditTypes.GrantEnded, revocation.At) with
        {
            GrantId = grant.Id,
            ClientId = grant.ClientId,
            Subject = grant.Subject,
            SessionId = grant.SessionId,
        };
        var isEnded = await store.EndGrantAsync(revocation, audit, ct);
        list.Add(revocation);
        return isEnded;
    }

    /// <summary>Ends a session and the grants bound to it; offline grants too when <paramref name="alsoOffline"/> is set.</summary>
    public async ValueTask EndSessionAsync(
        string sessionId, string subject, bool alsoOffline, Cause cause, CancellationToken ct)
    {
        var revocation = Revocation(RevocationKind.Session, sessionId);
        var audit = cause.Event(AuditTypes.SessionEnded, revocation.At) with { SessionId = sessionId, Subject = subject };
        var ended = await store.EndSessionAsync(revocation, alsoOffline, audit, ct);
        foreach (var each in ended.Append(revocation))
        {
            list.Add(each);
        }
    }

    /// <summary>
    /// Ends every session of a person and every grant under one, in one transaction with the change that causes it.
    /// </summary>
    /// <param name="subject">Whose.</param>
    /// <param name="exceptSessionId">The session that goes on; <see langword="null"/>: none.</param>
    /// <param name="change">What else is changed with it; <see langword="null"/>: nothing.</param>
    /// <param name="cause">Who ends it, and why.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns>False when the change was refused (a link that was used, say): nothing was done then.</returns>
    public async ValueTask<bool> EndPersonAsync(
        string subject, string? exceptSessionId, PersonChange? change, Cause cause, CancellationToken ct)
    {
        // Never stored under this kind: each session and each offline grant has a revocation of its own.
        var person = Revocation(RevocationKind.Session, subject);
        var audit = cause.Event(AuditTypes.PersonEnded, person.At) with { Subject = subject, SessionId = exceptSessionId };
        if (await store.EndPersonAsync(person, exceptSessionId, change, audit, ct) is not { } ended)
        {
            return false;
        }

        foreach (var each in ended)
        {
            list.Add(each);
        }

        return true;
    }

    /// <summary>A person takes back what they allowed an app: the consent and every grant they gave it, in one transaction.</summary>
    public async ValueTask EndAppAsync(string subject, string clientId, Cause cause, CancellationToken ct)
    {
        // As above: each grant has a revocation of its own.
        var person = Revocation(RevocationKind.Grant, subject);
        var audit = cause.Event(AuditTypes.ConsentRemoved, person.At) with { Subject = subject, ClientId = clientId };
        foreach (var each in await store.EndAppAsync(person, clientId, audit, ct))
        {
            list.Add(each);
        }
    }

    /// <summary>Ends every session and every grant under one: for the day when nothing can be trusted. Harmless when run again.</summary>
    /// <returns>How many sessions there were.</returns>
    public async ValueTask<int> EndAllSessionsAsync(ISessionStore sessions, Cause cause, CancellationToken ct)
    {
        var count = 0;
        var after = "";
        while (await sessions.ListLiveAsync(after, ct) is { Count: > 0 } part)
        {
            foreach (var (id, subject) in part)
            {
                await EndSessionAsync(id, subject, alsoOffline: true, cause, ct);
                count++;
            }

            after = part[^1].Id;
        }

        return count;
    }

    private Revocation Revocation(RevocationKind kind, string key)
    {
        var now = clock.GetUtcNow();
        return new(kind, key, now, now + Remembered);
    }
}

/// <summary>Who ends something, and why.</summary>
/// <param name="Reason">A fixed word such as <c>signed_out</c>, <c>code_reuse</c>, <c>refresh_reuse</c>, <c>revoked_by_client</c>.</param>
/// <param name="Actor">As <see cref="AuditEvent.Actor"/>.</param>
/// <param name="Address">Network address of the request, if there was one.</param>
public sealed record Cause(string Reason, string Actor, string? Address)
{
    public string? ClientId { get; init; }

    public string? GrantId { get; init; }

    internal AuditEvent Event(string type, DateTimeOffset at) =>
        new(type, at) { Actor = Actor, Address = Address, Detail = Reason, ClientId = ClientId, GrantId = GrantId };
}
