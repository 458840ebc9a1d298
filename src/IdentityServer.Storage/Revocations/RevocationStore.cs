using System.Data;
using System.Data.Common;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Revocations;

internal sealed class RevocationStore(IStatements statements, IDeeds deeds) : IRevocationStore
{
    private static readonly Statement Unexpired = new(
        """SELECT "Kind", "Key", "At", "ExpiresAt" FROM "Revocations" WHERE "ExpiresAt" > @Now""", ("Now", DbType.Int64));

    private const string OneKind =
        """
        "Kind", "Key", "At", "ExpiresAt" FROM "Revocations"
        WHERE "Kind" = @Kind AND "Key" > @After AND "ExpiresAt" > @Now ORDER BY "Key"
        """;

    private static readonly Statement Page = new(
        $"SELECT {OneKind} LIMIT 1000",
        $"SELECT TOP (1000) {OneKind}",
        ("Kind", DbType.Int32),
        ("After", DbType.String),
        ("Now", DbType.Int64));

    public ValueTask<IReadOnlyList<Revocation>> ListAsync(DateTimeOffset now, CancellationToken ct) => statements.ListAsync(
        Unexpired,
        [Columns.Of(now)],
        Read,
        ct);

    public ValueTask<IReadOnlyList<Revocation>> PageAsync(RevocationKind kind, string after, DateTimeOffset now, CancellationToken ct) =>
        statements.ListAsync(Page, [(int)kind, after, Columns.Of(now)], Read, ct);

    private static Revocation Read(DbDataReader reader) =>
        new((RevocationKind)reader.GetInt32(0), reader.GetString(1), reader.Instant(2), reader.Instant(3));

    public ValueTask<bool> EndTokenAsync(Revocation token, string? referenceHash, AuditEvent audit, CancellationToken ct) =>
        OnceAsync(
            async (db, ct) =>
            {
                var at = (DateTimeOffset?)token.At;
                var ended = referenceHash is not null && await db.Tokens
                    .Where(row => row.Hash == referenceHash && row.EndedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, at), ct) == 1;
                return await RememberAsync(db, token, ct) || ended;
            },
            audit,
            ct);

    public ValueTask<bool> EndGrantAsync(Revocation grant, AuditEvent audit, CancellationToken ct) =>
        OnceAsync(
            async (db, ct) =>
            {
                var at = (DateTimeOffset?)grant.At;
                var ended = await db.Grants
                    .Where(row => row.Id == grant.Key && row.EndedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, at), ct) == 1;
                return ended && await RememberAsync(db, grant, ct);
            },
            audit,
            ct);

    public async ValueTask<IReadOnlyList<Revocation>> EndSessionAsync(
        Revocation session, bool alsoOffline, AuditEvent audit, CancellationToken ct)
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

                // Tokens of offline grants are known by their grant, not by the session.
                var offline = !alsoOffline ? [] : await db.Grants
                    .Where(grant => grant.SessionId == session.Key && grant.IsOffline && grant.EndedAt == null)
                    .Select(grant => grant.Id)
                    .ToListAsync(ct);
                await db.Grants
                    .Where(grant => grant.SessionId == session.Key && grant.EndedAt == null && (alsoOffline || !grant.IsOffline))
                    .ExecuteUpdateAsync(set => set.SetProperty(grant => grant.EndedAt, at), ct);

                remembered = [session, .. offline.Select(id => session with { Kind = RevocationKind.Grant, Key = id })];
                foreach (var revocation in remembered)
                {
                    await RememberAsync(db, revocation, ct);
                }

                return true;
            },
            audit,
            ct);
        return done ? remembered : [];
    }

    public async ValueTask<IReadOnlyList<Revocation>?> EndPersonAsync(
        Revocation person, string? exceptSessionId, PersonChange? change, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync<IReadOnlyList<Revocation>?>(
                async (db, ct) =>
                {
                    if (change is not null && !await ((StoredChange)change).ApplyAsync(db, person.Key, person.At, ct))
                    {
                        return null;
                    }

                    var ended = await EndSessionsOfAsync(db, person, exceptSessionId, ct);
                    if (ended.Count > 0)
                    {
                        db.Record(audit);
                    }

                    if (change is not null)
                    {
                        await ((StoredChange)change).EndAsync(db, person.Key, ct);
                    }

                    await db.SaveChangesAsync(ct);
                    return ended;
                },
                ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // Somebody ended one of the sessions in the same instant: with that done, the rest is as before.
            return await EndPersonAsync(person, exceptSessionId, change, audit, ct);
        }
    }

    public async ValueTask<IReadOnlyList<Revocation>> EndAppAsync(
        Revocation person, string clientId, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync<IReadOnlyList<Revocation>>(
                async (db, ct) =>
                {
                    var consents = await db.Consents
                        .Where(consent => consent.Subject == person.Key && consent.ClientId == clientId)
                        .ExecuteDeleteAsync(ct);
                    var at = (DateTimeOffset?)person.At;
                    var grants = db.Grants.Where(
                        grant => grant.Subject == person.Key && grant.ClientId == clientId && grant.EndedAt == null);

                    // An access token may outlive its grant's own end, by no more than what is remembered.
                    var since = person.At - (person.ExpiresAt - person.At);
                    var alive = await grants.Where(grant => grant.ExpiresAt > since).Select(grant => grant.Id).ToListAsync(ct);
                    var ended = await grants.ExecuteUpdateAsync(set => set.SetProperty(grant => grant.EndedAt, at), ct);
                    if (consents + ended == 0)
                    {
                        return [];
                    }

                    IReadOnlyList<Revocation> remembered = [.. alive.Select(id => person with { Kind = RevocationKind.Grant, Key = id })];
                    foreach (var revocation in remembered)
                    {
                        await RememberAsync(db, revocation, ct);
                    }

                    db.Record(audit);
                    await db.SaveChangesAsync(ct);
                    return remembered;
                },
                ct);
        }
        catch (DbUpdateException error) when (UniqueViolation.Is(error))
        {
            // One of the grants was ended in the same instant: with that done, the rest is as before.
            return await EndAppAsync(person, clientId, audit, ct);
        }
    }

    private static async Task<IReadOnlyList<Revocation>> EndSessionsOfAsync(
        ServerDb db, Revocation person, string? exceptSessionId, CancellationToken ct)
    {
        var at = (DateTimeOffset?)person.At;
        var sessions = db.Sessions.Where(row => row.Subject == person.Key && row.Id != exceptSessionId);
        var alive = await sessions.Where(row => row.EndedAt == null).Select(row => row.Id).ToListAsync(ct);
        await sessions.Where(row => row.EndedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.EndedAt, at), ct);
        await sessions.Where(row => EF.Property<DateTimeOffset?>(row, SessionMapping.OfflineEndedAt) == null)
            .ExecuteUpdateAsync(set => set.SetProperty(row => EF.Property<DateTimeOffset?>(row, SessionMapping.OfflineEndedAt), at), ct);
        var grants = db.Grants.Where(grant => grant.Subject == person.Key && grant.EndedAt == null && grant.SessionId != exceptSessionId);
        var offline = await grants.Where(grant => grant.IsOffline).Select(grant => grant.Id).ToListAsync(ct);
        await grants.ExecuteUpdateAsync(set => set.SetProperty(grant => grant.EndedAt, at), ct);

        List<Revocation> remembered =
        [
            .. alive.Select(id => person with { Key = id }),
            .. offline.Select(id => person with { Kind = RevocationKind.Grant, Key = id }),
        ];
        foreach (var revocation in remembered)
        {
            await RememberAsync(db, revocation, ct);
        }

        return remembered;
    }

    /// <summary>Runs the ending; the event is stored if it answers true. Who is second at the same instant has nothing left to do.</summary>
    private async ValueTask<bool> OnceAsync(
        Func<ServerDb, CancellationToken, Task<bool>> end, AuditEvent audit, CancellationToken ct)
    {
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    if (!await end(db, ct))
                    {
                        return false;
                    }

                    db.Record(audit);
                    await db.SaveChangesAsync(ct);
                    return true;
                },
                ct);
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
}
