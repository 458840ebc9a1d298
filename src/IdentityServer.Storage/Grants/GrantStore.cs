using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Grants;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Grants;

internal sealed class GrantStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IGrantStore
{
    public async ValueTask<bool> OpenAsync(Grant grant, TokenRecord code, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                if (!await db.Sessions.AnyAsync(row => row.Id == grant.SessionId && row.EndedAt == null, ct))
                {
                    return false;
                }

                db.Grants.Add(grant);
                db.Tokens.Add(TokenRow.Of(code));
                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask<TokenRecord?> FindTokenAsync(TokenKind kind, string hash, CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        var found = await (
            from token in db.Tokens.AsNoTracking()
            where token.Hash == hash && token.Kind == kind
            join grant in db.Grants on token.GrantId equals grant.Id into grants
            from grant in grants.DefaultIfEmpty()
            join session in db.Sessions on grant.SessionId equals session.Id into sessions
            from session in sessions.DefaultIfEmpty()
            select new
            {
                Token = token,
                Grant = grant,
                SessionId = (string?)session.Id,
                SessionEndedAt = session.EndedAt,
                OfflineEndedAt = EF.Property<DateTimeOffset?>(session, SessionMapping.OfflineEndedAt),
            }).FirstOrDefaultAsync(ct);
        return found switch
        {
            null => null,
            // Its grant is gone, so it is dead: it is as if it had never been.
            { Token.GrantId: not null, Grant: null } => null,
            { Grant: { } grant } => found.Token.ToRecord(
                WithEnd(grant, found.SessionId is not null, found.SessionEndedAt, found.OfflineEndedAt)),
            _ => found.Token.ToRecord(null),
        };
    }

    public async ValueTask<bool> SpendAsync(
        TokenRecord token,
        IReadOnlyList<TokenRecord> successors,
        byte[]? sealedSuccessor,
        DateTimeOffset now,
        AuditEvent audit,
        CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                DateTimeOffset? at = now;
                var successorHash = successors.FirstOrDefault(successor => successor.Kind == TokenKind.Refresh)?.Hash;
                var live = db.Grants.WhereLive(db);

                // One statement decides who is first.
                var won = await db.Tokens
                    .Where(row => row.Hash == token.Hash && row.Kind == token.Kind
                        && row.SpentAt == null && row.EndedAt == null
                        && live.Any(grant => grant.Id == row.GrantId))
                    .ExecuteUpdateAsync(
                        set => set
                            .SetProperty(row => row.SpentAt, at)
                            .SetProperty(row => row.SuccessorHash, successorHash)
                            .SetProperty(row => row.SealedSuccessor, sealedSuccessor),
                        ct) == 1;
                if (!won)
                {
                    return false;
                }

                db.Tokens.AddRange(successors.Select(TokenRow.Of));
                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask<bool> AddTokenAsync(TokenRecord token, AuditEvent audit, CancellationToken ct) =>
        await deeds.RunAsync(
            async (db, ct) =>
            {
                if (token.Grant is { } parent && !await db.Grants.WhereLive(db).AnyAsync(grant => grant.Id == parent.Id, ct))
                {
                    return false;
                }

                db.Tokens.Add(TokenRow.Of(token));
                db.Record(audit);
                await db.SaveChangesAsync(ct);
                return true;
            },
            ct);

    public async ValueTask<Grant?> FindAsync(string grantId, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(grantId, Identifiers.IdLength))
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(ct);
        var found = await (
            from grant in db.Grants.AsNoTracking()
            where grant.Id == grantId
            join session in db.Sessions on grant.SessionId equals session.Id into sessions
            from session in sessions.DefaultIfEmpty()
            select new
            {
                Grant = grant,
                SessionId = (string?)session.Id,
                SessionEndedAt = session.EndedAt,
                OfflineEndedAt = EF.Property<DateTimeOffset?>(session, SessionMapping.OfflineEndedAt),
            }).FirstOrDefaultAsync(ct);
        return found is null
            ? null
            : WithEnd(found.Grant, found.SessionId is not null, found.SessionEndedAt, found.OfflineEndedAt);
    }

    /// <summary>The grant with the end its session gave it, if it has none of its own; see <see cref="LiveGrants"/>.</summary>
    private static Grant WithEnd(
        Grant grant, bool hasSession, DateTimeOffset? sessionEndedAt, DateTimeOffset? offlineEndedAt) =>
        grant with
        {
            EndedAt = grant switch
            {
                { EndedAt: { } at } => at,
                { IsOffline: true } => offlineEndedAt,
                _ when !hasSession => grant.ExpiresAt, // its session was cleaned away, so it ended; when is forgotten
                _ => sessionEndedAt,
            },
        };
}
