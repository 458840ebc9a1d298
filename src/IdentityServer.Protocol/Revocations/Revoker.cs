using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;

namespace IdentityServer.Protocol.Revocations;

/// <summary>
/// The only way anything is ended. Each method is one transaction, known to this node when it returns and to the others
/// by the change log; its receipt says how far the ending has got.
/// </summary>
public sealed class Revoker(
    IRevocationStore store, RevocationList list, IClientStore clients, IEnumerable<IReuseWatch> watches, TimeProvider clock)
{
    /// <summary>A revocation outlives every access token it ends.</summary>
    public static readonly TimeSpan Remembered = ClientDraft.LongestLifetime + TimeSpan.FromHours(1);

    /// <summary>Ends one access token, self-contained or reference.</summary>
    /// <param name="token">The token.</param>
    /// <param name="referenceHash">Hash of its handle, when it is a reference token.</param>
    /// <param name="cause">Who ends it, and why.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns><see langword="null"/> when it had ended.</returns>
    public async ValueTask<Receipt?> EndTokenAsync(IEndable token, string? referenceHash, Cause cause, CancellationToken ct)
    {
        var revocation = Revocation(RevocationKind.Token, token.Id);
        var receipt = await ReceiptAsync(revocation, cause, token.ClientId, ct) with
        {
            ClientId = token.ClientId,
            Subject = token.GrantId is null ? null : token.Subject,
            SessionId = token.SessionId,
        };
        var audit = cause.Event(AuditTypes.TokenRevoked, revocation.At) with { GrantId = token.GrantId };
        var isEnded = await store.EndTokenAsync(revocation, referenceHash, new(audit, receipt), ct);
        list.Add(revocation);
        return isEnded ? receipt : null;
    }

    /// <summary>Ends a grant because something spent was presented again, and tells who watches for that, once.</summary>
    public async ValueTask EndReusedGrantAsync(Grant grant, Cause cause, CancellationToken ct)
    {
        if (await EndGrantAsync(grant, cause, ct) is not null)
        {
            foreach (var watch in watches)
            {
                await watch.NoticeAsync(grant, cause.Address, ct);
            }
        }
    }

    /// <summary>Ends a grant and everything issued under it; <see langword="null"/> when it had ended.</summary>
    public async ValueTask<Receipt?> EndGrantAsync(Grant grant, Cause cause, CancellationToken ct)
    {
        var revocation = Revocation(RevocationKind.Grant, grant.Id);
        var audit = cause.Event(AuditTypes.GrantEnded, revocation.At) with
        {
            GrantId = grant.Id,
            ClientId = grant.ClientId,
            Subject = grant.Subject,
            SessionId = grant.SessionId,
        };
        var receipt = await ReceiptAsync(revocation, cause, grant.ClientId, ct) with
        {
            ClientId = grant.ClientId,
            Subject = grant.Subject,
            SessionId = grant.SessionId,
        };
        var isEnded = await store.EndGrantAsync(revocation, new(audit, receipt), ct);
        list.Add(revocation);
        return isEnded ? receipt : null;
    }

    /// <summary>
    /// Ends a session and the grants bound to it; offline grants too when <paramref name="alsoOffline"/> is set. <see langword="null"/> when
    /// all of it had ended.
    /// </summary>
    public async ValueTask<Receipt?> EndSessionAsync(
        string sessionId, string subject, bool alsoOffline, Cause cause, CancellationToken ct)
    {
        var revocation = Revocation(RevocationKind.Session, sessionId);
        var audit = cause.Event(AuditTypes.SessionEnded, revocation.At) with { SessionId = sessionId, Subject = subject };
        var receipt = await ReceiptAsync(revocation, cause, onlyClientId: null, ct) with
        {
            Subject = subject,
            SessionId = sessionId,
            AlsoOffline = alsoOffline,
        };
        var ended = await store.EndSessionAsync(revocation, alsoOffline, new(audit, receipt), ct);
        foreach (var each in ended.Append(revocation))
        {
            list.Add(each);
        }

        return ended.Count > 0 ? receipt : null;
    }

    /// <summary>
    /// Ends every session of a person and every grant they gave, in one transaction with the change that causes it.
    /// </summary>
    /// <param name="subject">Whose.</param>
    /// <param name="exceptSessionId">The session that goes on; <see langword="null"/>: none.</param>
    /// <param name="change">What else is changed with it; <see langword="null"/>: nothing.</param>
    /// <param name="cause">Who ends it, and why.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns><see langword="null"/> when the change was refused (a link that was used, say): nothing was done then.</returns>
    public async ValueTask<Receipt?> EndPersonAsync(
        string subject, string? exceptSessionId, PersonChange? change, Cause cause, CancellationToken ct)
    {
        var person = Revocation(RevocationKind.Subject, subject);
        var audit = cause.Event(AuditTypes.PersonEnded, person.At) with { Subject = subject, SessionId = exceptSessionId };
        var receipt = await ReceiptAsync(person, cause, onlyClientId: null, ct) with
        {
            Subject = subject,
            AlsoOffline = true,
            ExceptSessionId = exceptSessionId,
        };
        if (await store.EndPersonAsync(person, exceptSessionId, change, new(audit, receipt), ct) is not { } cutoff)
        {
            return null;
        }

        list.Add(cutoff);
        return receipt with { Epoch = cutoff.Epoch };
    }

    /// <summary>
    /// A person takes back what they allowed an app: the consent and every grant they gave it, in one transaction. <see langword="null"/>
    /// when there was nothing to take back.
    /// </summary>
    public async ValueTask<Receipt?> EndAppAsync(string subject, string clientId, Cause cause, CancellationToken ct)
    {
        // Never stored under this key: each grant has a revocation of its own.
        var person = Revocation(RevocationKind.Grant, subject);
        var audit = cause.Event(AuditTypes.ConsentRemoved, person.At) with { Subject = subject, ClientId = clientId };
        var receipt = await ReceiptAsync(person, cause, clientId, ct) with { Subject = subject, ClientId = clientId };
        if (await store.EndAppAsync(person, clientId, new(audit, receipt), ct) is not { } ended)
        {
            return null;
        }

        foreach (var each in ended)
        {
            list.Add(each);
        }

        return receipt;
    }

    /// <summary>
    /// The person signs out of one app alone: what it was given in the session ends, but not what it may use while they are away; the
    /// session goes on. <see langword="null"/> when the app was given nothing in it.
    /// </summary>
    public async ValueTask<Receipt?> EndAppInSessionAsync(
        string sessionId, string subject, string clientId, Cause cause, CancellationToken ct)
    {
        // Never stored under this key either.
        var revocation = Revocation(RevocationKind.Grant, sessionId);
        var audit = cause.Event(AuditTypes.AppInSessionEnded, revocation.At) with
        {
            ClientId = clientId,
            Subject = subject,
            SessionId = sessionId,
        };
        var receipt = await ReceiptAsync(revocation, cause, clientId, ct) with
        {
            ClientId = clientId,
            Subject = subject,
            SessionId = sessionId,
        };
        if (await store.EndAppInSessionAsync(revocation, clientId, new(audit, receipt), ct) is not { } ended)
        {
            return null;
        }

        foreach (var each in ended)
        {
            list.Add(each);
        }

        return receipt;
    }

    /// <summary>
    /// Ends every grant that anybody gave a client, and the client's own tokens, in one transaction with the change that causes it. People
    /// stay signed in.
    /// </summary>
    /// <param name="clientId">Whose.</param>
    /// <param name="change">What else is changed with it; <see langword="null"/>: nothing.</param>
    /// <param name="cause">Who ends it, and why.</param>
    /// <param name="ct">Stops before anything is changed.</param>
    /// <returns><see langword="null"/> when the change was refused (there is no such client, say): nothing was done then.</returns>
    public async ValueTask<Receipt?> EndClientAsync(string clientId, ClientChange? change, Cause cause, CancellationToken ct)
    {
        var client = Revocation(RevocationKind.Client, clientId);
        var audit = cause.Event(AuditTypes.ClientTokensEnded, client.At) with { ClientId = clientId };
        var receipt = await ReceiptAsync(client, cause, clientId, ct) with { ClientId = clientId, AlsoOffline = true };
        if (await store.EndClientAsync(client, change, new(audit, receipt), ct) is not { } cutoff)
        {
            return null;
        }

        list.Add(cutoff);
        return receipt with { Epoch = cutoff.Epoch };
    }

    /// <summary>Ends every session and every grant: for the day when nothing can be trusted.</summary>
    public async ValueTask<Receipt> EndEverythingAsync(Cause cause, CancellationToken ct)
    {
        var everything = Revocation(RevocationKind.Everything, Revocations.Revocation.Everyone);
        var audit = cause.Event(AuditTypes.EverythingEnded, everything.At);
        var receipt = await ReceiptAsync(everything, cause, onlyClientId: null, ct) with { AlsoOffline = true };
        var cutoff = await store.EndEverythingAsync(everything, new(audit, receipt), ct);
        list.Add(cutoff);
        return receipt with { Epoch = cutoff.Epoch };
    }

    /// <summary>
    /// What is remembered when a signing key is taken back, and its receipt: for the transaction that takes it. Here everything it signed is
    /// dead because no token is checked with it any more; APIs that keep keys are told.
    /// </summary>
    /// <param name="kid">Which.</param>
    /// <param name="keptFor">How long an API may go on with a key set it keeps: whoever has the key can sign anything until then.</param>
    /// <param name="cause">Who takes it back, and why.</param>
    public KeyEnding EndingOfKey(string kid, TimeSpan keptFor, Cause cause)
    {
        var key = Revocation(RevocationKind.Key, kid);

        // No session ends with it, so no app is to be told.
        return new(key, Receipt(key, cause, keptFor) with { NotifiedAt = key.At });
    }

    private Revocation Revocation(RevocationKind kind, string key)
    {
        var now = clock.GetUtcNow();
        return new(kind, key, now, now + Remembered);
    }

    private async ValueTask<Receipt> ReceiptAsync(Revocation what, Cause cause, string? onlyClientId, CancellationToken ct)
    {
        // As the clients are now: a lifetime that was shortened a moment ago counts from the tokens issued since.
        var exposure = await clients.LongestJwtLifetimeAsync(onlyClientId, ct);
        return Receipt(what, cause, exposure ?? TimeSpan.Zero);
    }

    private static Receipt Receipt(Revocation what, Cause cause, TimeSpan exposure) => new()
    {
        Id = Handle.NewId(),
        At = what.At,
        Kind = what.Kind,
        Key = what.Key,
        Reason = cause.Reason,
        Note = cause.Note,
        Actor = cause.Actor,
        ExposedUntil = what.At + exposure,
    };
}

/// <summary>Who ends something, and why.</summary>
/// <param name="Reason">A fixed word such as <c>signed_out</c>, <c>code_reuse</c>, <c>refresh_reuse</c>, <c>revoked_by_client</c>.</param>
/// <param name="Actor">As <see cref="AuditEvent.Actor"/>.</param>
/// <param name="Address">Network address of the request, if there was one.</param>
public sealed record Cause(string Reason, string Actor, string? Address)
{
    public string? ClientId { get; init; }

    public string? GrantId { get; init; }

    /// <summary>What whoever ends it wrote for the record.</summary>
    public string? Note { get; init; }

    internal AuditEvent Event(string type, DateTimeOffset at) => new(type, at)
    {
        Actor = Actor,
        Address = Address,
        Detail = Note is null ? Reason : $"{Reason}: {Note}",
        ClientId = ClientId,
        GrantId = GrantId,
    };
}
