using System.Data;
using System.Data.Common;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Clients;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Logout;
using IdentityServer.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Revocations;

internal sealed class RevocationStore(IStatements statements, IDeeds deeds, LogoutBell bell) : IRevocations, IRevocationStore
{
    private const string OneKind =
        """
        "Kind", "Key", "At", "ExpiresAt", "Epoch", "ExceptSessionId" FROM "Revocations"
        WHERE "Kind" = @Kind AND "Key" > @After AND "ExpiresAt" > @Now ORDER BY "Key"
        """;

    private static readonly Statement Page = new(
        $"SELECT {OneKind} LIMIT {IRevocations.PageSize}",
        $"SELECT TOP ({IRevocations.PageSize}) {OneKind}",
        ("Kind", DbType.Int32),
        ("After", DbType.String),
        ("Now", DbType.Int64));

    public ValueTask<IReadOnlyList<Revocation>> PageAsync(RevocationKind kind, string after, DateTimeOffset now, CancellationToken ct) =>
        statements.ListAsync(Page, [(int)kind, after, Columns.Of(now)], Read, ct);

    private static Revocation Read(DbDataReader reader) =>
        new((RevocationKind)reader.GetInt32(0), reader.GetString(1), reader.Instant(2), reader.Instant(3))
        {
            Epoch = reader.GetInt64(4),
            ExceptSessionId = reader.TextOrNull(5),
        };

    public ValueTask<bool> EndTokenAsync(Revocation token, string? referenceHash, Ending ending, CancellationToken ct) =>
        OnceAsync(
            async (db, ct) =>
            {
                var at = (DateTimeOffset?)token.At;
                var ended = referenceHash is not null && await db.Tokens
                    .Where(row => row.Hash == referenceHash && row.EndedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, at), ct) == 1;
                return await RememberAsync(db, token, ct) || ended;
            },
            ending,
            ct);

    public ValueTask<bool> EndGrantAsync(Revocation grant, Ending ending, CancellationToken ct) =>
        OnceAsync(
            async (db, ct) =>
            {
                var at = (DateTimeOffset?)grant.At;
                var ended = await db.Grants
                    .Where(row => row.Id == grant.Key && row.EndedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, at), ct) == 1;
                return ended && await RememberAsync(db, grant, ct);
            },
            ending,
            ct);

    public async ValueTask<IReadOnlyList<Revocation>> EndSessionAsync(
        Revocation session, bool alsoOffline, Ending ending, CancellationToken ct)
    {
        IReadOnlyList<Revocation> remembered = [];
        var done = await OnceAsync(
            async (db, ct) =>
            {
                var at = (DateTimeOffset?)session.At;
                var ended = await db.Sessions
                    .Where(row => row.Id == session.Key && row.EndedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, at), ct) == 1;
                var offlineEnded = alsoOffline && await db.Sessions
                    .Where(row => row.Id == session.Key
                        && EF.Property<DateTimeOffset?>(row, SessionMapping.OfflineEndedAt) == null)
                    .ExecuteUpdateAsync(
                        set => set.SetProperty(
                            row => EF.Property<DateTimeOffset?>(row, SessionMapping.OfflineEndedAt), at),
                        ct) == 1;
                if (!ended && !offlineEnded)
                {
                    return false;
                }

                await db.Grants
                    .Where(grant => grant.SessionId == session.Key && grant.EndedAt == null && (alsoOffline || !grant.IsOffline))
                    .ExecuteUpdateAsync(set => set.SetProperty(grant => grant.EndedAt, at), ct);

                // Tokens of offline grants are known by their grant, not by the session. Asked for now: one that was opened meanwhile is among them.
                var offline = !alsoOffline ? [] : await db.Grants
                    .Where(grant => grant.SessionId == session.Key && grant.IsOffline && grant.EndedAt == at)
                    .Select(grant => grant.Id)
                    .ToListAsync(ct);

                remembered = [session, .. offline.Select(id => session with { Kind = RevocationKind.Grant, Key = id })];
                foreach (var revocation in remembered)
                {
                    await RememberAsync(db, revocation, ct);
                }

                return true;
            },
            ending,
            ct);
        return done ? remembered : [];
    }

    public async ValueTask<Revocation?> EndPersonAsync(
        Revocation person, string? exceptSessionId, PersonChange? change, Ending ending, CancellationToken ct)
    {
        try
        {
            var remembered = await deeds.RunAsync<Revocation?>(
                async (db, ct) =>
                {
                    if (change is not null && !await ((StoredChange)change).ApplyAsync(db, person.Key, person.At, ct))
                    {
                        return null;
                    }

                    var cutoff = await db.CutAsync(person, exceptSessionId, ct);
                    if (change is StoredChange { RemovesSessions: true })
                    {
                        // Later nobody could say any more which apps are to be told.
                        var receipt = ending.Receipt with { Epoch = cutoff.Epoch };
                        await LogoutNotices.AddAsync(db, receipt, ReceiptStore.SessionsOf(db, receipt), person.At, ct);
                    }

                    if (change is not null)
                    {
                        await ((StoredChange)change).EndAsync(db, person.Key, ct);
                    }

                    await WriteAsync(db, ending, [cutoff], ct);
                    return cutoff;
                },
                ct);
            bell.Ring();
            return remembered;
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // What the change needs was taken in the same instant, such as the address that is put back: asked again, it sees that.
            return await EndPersonAsync(person, exceptSessionId, change, ending, ct);
        }
    }

    public async ValueTask<Revocation?> EndClientAsync(Revocation client, ClientChange? change, Ending ending, CancellationToken ct) =>
        await deeds.RunAsync<Revocation?>(
            async (db, ct) =>
            {
                if (change is not null && !await ((StoredClientChange)change).ApplyAsync(db, client.Key, client.At, ct))
                {
                    return null;
                }

                var cut = await db.CutAsync(client, exceptSessionId: null, ct);
                await WriteAsync(db, ending, [cut], ct);
                return cut;
            },
            ct);

    public async ValueTask<Revocation> EndEverythingAsync(Revocation everything, Ending ending, CancellationToken ct)
    {
        var remembered = await deeds.RunAsync(
            async (db, ct) =>
            {
                var cut = await db.CutAsync(everything, exceptSessionId: null, ct);
                await WriteAsync(db, ending, [cut], ct);
                return cut;
            },
            ct);
        bell.Ring();
        return remembered;
    }

    public async ValueTask<IReadOnlyList<Revocation>?> EndAppAsync(
        Revocation person, string clientId, Ending ending, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync<IReadOnlyList<Revocation>?>(
                async (db, ct) =>
                {
                    var consents = await db.Consents
                        .Where(consent => consent.Subject == person.Key && consent.ClientId == clientId)
                        .ExecuteDeleteAsync(ct);
                    var (ended, remembered) = await EndGrantsAsync(
                        db, db.Grants.Where(grant => grant.Subject == person.Key && grant.ClientId == clientId), person, ct);
                    if (consents + ended == 0)
                    {
                        return null;
                    }

                    await WriteAsync(db, ending, [], ct);
                    return remembered;
                },
                ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // One of the grants was ended in the same instant: with that done, the rest is as before.
            return await EndAppAsync(person, clientId, ending, ct);
        }
    }

    public async ValueTask<IReadOnlyList<Revocation>?> EndAppInSessionAsync(
        Revocation session, string clientId, Ending ending, CancellationToken ct)
    {
        try
        {
            var remembered = await deeds.RunAsync<IReadOnlyList<Revocation>?>(
                async (db, ct) =>
                {
                    var grants = db.Grants.Where(grant => grant.SessionId == session.Key && grant.ClientId == clientId);
                    if (!await grants.AnyAsync(ct))
                    {
                        return null;
                    }

                    var (_, remembered) = await EndGrantsAsync(db, grants.Where(grant => !grant.IsOffline), session, ct);

                    // The session goes on, so nobody would tell the app later.
                    var sessions = db.Sessions.Where(row => row.Id == session.Key);
                    await LogoutNotices.AddAsync(db, ending.Receipt, sessions, session.At, ct, onlyClientId: clientId);
                    await WriteAsync(db, ending, [], ct);
                    return remembered;
                },
                ct);
            bell.Ring();
            return remembered;
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // As above.
            return await EndAppInSessionAsync(session, clientId, ending, ct);
        }
    }

    /// <summary>Marks those that are not; answers how many, and what is to be remembered of them.</summary>
    private static async Task<(int Ended, IReadOnlyList<Revocation> Remembered)> EndGrantsAsync(
        ServerDb db, IQueryable<Grant> grants, Revocation cause, CancellationToken ct)
    {
        var at = (DateTimeOffset?)cause.At;
        var ended = await grants.Where(grant => grant.EndedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(grant => grant.EndedAt, at), ct);

        // An access token may outlive its grant's own end, by no more than what is remembered.
        var since = cause.At - (cause.ExpiresAt - cause.At);
        var alive = await grants.Where(grant => grant.EndedAt == at && grant.ExpiresAt > since).Select(grant => grant.Id).ToListAsync(ct);
        IReadOnlyList<Revocation> remembered = [.. alive.Select(id => cause with { Kind = RevocationKind.Grant, Key = id })];
        foreach (var revocation in remembered)
        {
            await RememberAsync(db, revocation, ct);
        }

        return (ended, remembered);
    }

    /// <summary>Runs the ending; it is told of if it answers true. Who is second at the same instant has nothing left to do.</summary>
    private async ValueTask<bool> OnceAsync(
        Func<ServerDb, CancellationToken, Task<bool>> end, Ending ending, CancellationToken ct)
    {
        try
        {
            var isEnded = await deeds.RunAsync(
                async (db, ct) =>
                {
                    if (!await end(db, ct))
                    {
                        return false;
                    }

                    await WriteAsync(db, ending, [], ct);
                    return true;
                },
                ct);
            bell.Ring();
            return isEnded;
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            return false;
        }
    }

    private static async Task<bool> RememberAsync(ServerDb db, Revocation revocation, CancellationToken ct)
    {
        if (await db.Revocations.AnyAsync(row => row.Kind == revocation.Kind && row.Key == revocation.Key, ct))
        {
            return false;
        }

        db.Revocations.Add(revocation);
        db.Announce(ChangeKind.Revocation, RevocationList.Format(revocation), revocation.At);
        return true;
    }

    private static async Task WriteAsync(ServerDb db, Ending ending, IReadOnlyList<Revocation> cutoffs, CancellationToken ct)
    {
        foreach (var cutoff in cutoffs)
        {
            db.Announce(ChangeKind.Revocation, RevocationList.Format(cutoff), cutoff.At);
        }

        db.Record(ending.Audit);

        // Clients are told of sessions alone, and only those that want to be.
        var isToBeTold = ending.Receipt.Kind is RevocationKind.Session or RevocationKind.Subject or RevocationKind.Everything
            && await db.Clients.AnyAsync(client => client.BackChannelLogoutUri != null, ct);
        await db.SaveWithReceiptAsync(
            ending.Receipt with
            {
                Epoch = cutoffs.Select(cutoff => cutoff.Epoch).SingleOrDefault(),
                ExceptSessionId = cutoffs.Select(cutoff => cutoff.ExceptSessionId).SingleOrDefault(),
                NotifiedAt = isToBeTold ? null : ending.Receipt.At,
            },
            ct);
    }
}
