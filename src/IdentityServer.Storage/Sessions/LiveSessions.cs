using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage.Revocations;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Sessions;

internal sealed class LiveSessions(IDbContextFactory<ServerDb> databases) : ILiveSessions
{
    // Read at a time.
    private const int PartSize = 200;

    public async ValueTask<IReadOnlyList<LiveSession>> ListAsync(
        LiveFilter filter, (DateTimeOffset CreatedAt, string Id)? after, int count, DateTimeOffset now, CancellationToken ct)
    {
        if (!CanMatch(filter, after?.Id))
        {
            return [];
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        var sessions = db.Sessions.AsNoTracking().Where(session => session.EndedAt == null && session.ExpiresAt > now).NotCut(db);
        if (filter.Subject is { } subject)
        {
            sessions = sessions.Where(session => session.Subject == subject);
        }

        if (filter.ClientId is { } clientId)
        {
            sessions = sessions.Where(session => db.Grants.Any(grant => grant.SessionId == session.Id && grant.ClientId == clientId));
        }

        if (filter.Address is { } address)
        {
            sessions = sessions.Where(session => session.Address == address);
        }

        if (filter.Since is { } since)
        {
            sessions = sessions.Where(session => session.CreatedAt >= since);
        }

        if (filter.Before is { } before)
        {
            sessions = sessions.Where(session => session.CreatedAt < before);
        }

        // Whether a session has fallen asleep is a sum of two columns that no index knows, so those are left out afterwards.
        var found = new List<Session>();
        while (found.Count < count)
        {
            var from = after;
            var part = await (from is null ? sessions : sessions.Where(
                    session => session.CreatedAt < from.Value.CreatedAt
                        || (session.CreatedAt == from.Value.CreatedAt && session.Id.CompareTo(from.Value.Id) < 0)))
                .OrderByDescending(session => session.CreatedAt).ThenByDescending(session => session.Id)
                .Take(PartSize)
                .ToListAsync(ct);
            found.AddRange(part.Where(session => session.IsLive(now)).Take(count - found.Count));
            if (part.Count < PartSize)
            {
                break;
            }

            after = (part[^1].CreatedAt, part[^1].Id);
        }

        var ids = found.Select(session => session.Id).ToArray();
        var clients = (await db.Grants.AsNoTracking()
                .Where(grant => ids.Contains(grant.SessionId))
                .Select(grant => new { grant.SessionId, grant.ClientId })
                .Distinct()
                .ToListAsync(ct))
            .ToLookup(row => row.SessionId, row => row.ClientId, StringComparer.Ordinal);
        var names = await NamesAsync(db, found.Select(session => session.Subject), ct);
        return
        [
            .. found.Select(session => new LiveSession(
                session, names.GetValueOrDefault(session.Subject, ""), [.. clients[session.Id].Order(StringComparer.Ordinal)])),
        ];
    }

    public async ValueTask<IReadOnlyList<LiveGrant>> ListGrantsAsync(
        LiveFilter filter, string? after, int count, DateTimeOffset now, CancellationToken ct)
    {
        if (!CanMatch(filter, after is { Length: > 0 } ? after : null))
        {
            return [];
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        after ??= "";

        // A grant also ends with its session.
        var grants = db.Grants.AsNoTracking()
            .Where(grant => grant.Id.CompareTo(after) > 0 && grant.EndedAt == null && grant.ExpiresAt > now
                && db.Sessions.Any(session => session.Id == grant.SessionId
                    && ((grant.IsOffline && EF.Property<DateTimeOffset?>(session, SessionMapping.OfflineEndedAt) == null)
                        || (!grant.IsOffline && session.EndedAt == null))))
            .NotCut(db);
        if (filter.Subject is { } subject)
        {
            grants = grants.Where(grant => grant.Subject == subject);
        }

        if (filter.ClientId is { } clientId)
        {
            grants = grants.Where(grant => grant.ClientId == clientId);
        }

        if (filter.Since is { } since)
        {
            grants = grants.Where(grant => grant.GrantedAt >= since);
        }

        if (filter.Before is { } before)
        {
            grants = grants.Where(grant => grant.GrantedAt < before);
        }

        var found = await grants.OrderBy(grant => grant.Id).Take(count).ToListAsync(ct);
        var names = await NamesAsync(db, found.Select(grant => grant.Subject), ct);
        return [.. found.Select(grant => new LiveGrant(grant, names.GetValueOrDefault(grant.Subject, "")))];
    }

    public async ValueTask<IReadOnlyList<(string Id, string Subject)>> ListOpenedBeforeAsync(
        DateTimeOffset instant, string after, DateTimeOffset now, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        var rows = await db.Sessions.AsNoTracking()
            .Where(session => session.CreatedAt < instant && session.Id.CompareTo(after) > 0
                && ((session.EndedAt == null && session.ExpiresAt > now)
                    || (EF.Property<DateTimeOffset?>(session, SessionMapping.OfflineEndedAt) == null && db.Grants.Any(
                        grant => grant.SessionId == session.Id && grant.IsOffline && grant.EndedAt == null && grant.ExpiresAt > now))))
            .NotCut(db)
            .OrderBy(session => session.Id)
            .Take(PartSize)
            .Select(session => new { session.Id, session.Subject })
            .ToListAsync(ct);
        return [.. rows.Select(row => (row.Id, row.Subject))];
    }

    // Typed by people and sent by programs: there are texts that a database refuses to compare with.
    private static bool CanMatch(LiveFilter filter, string? after) =>
        new[] { filter.Subject, filter.ClientId, filter.Address, after }.All(text => text is null || Identifiers.IsPossible(text));

    private static async ValueTask<Dictionary<string, string>> NamesAsync(ServerDb db, IEnumerable<string> subjects, CancellationToken ct)
    {
        var ids = subjects.Distinct(StringComparer.Ordinal).ToArray();
        return await db.Users.AsNoTracking().Where(user => ids.Contains(user.Id)).ToDictionaryAsync(user => user.Id, user => user.UserName!, ct);
    }
}
