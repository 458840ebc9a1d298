using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Revocations;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Clients;

/// <summary>A change of a client's row that goes into the transaction which ends what the client was given.</summary>
public abstract record StoredClientChange : ClientChange
{
    /// <summary>Tells of the change; stored with it.</summary>
    public required AuditEvent Audit { get; init; }

    /// <summary>Does it; false when it may not be done (any more), and then nothing else is done either.</summary>
    internal async Task<bool> ApplyAsync(ServerDb db, string clientId, DateTimeOffset now, CancellationToken ct)
    {
        if (!Identifiers.IsPossible(clientId) || !await ChangeAsync(db, clientId, now, ct))
        {
            return false;
        }

        db.Announce(ChangeKind.Client, clientId, now);
        db.Record(Audit);
        return true;
    }

    private protected abstract Task<bool> ChangeAsync(ServerDb db, string clientId, DateTimeOffset now, CancellationToken ct);
}

/// <summary>The client is gone, with what people allowed it.</summary>
public sealed record ClientRemoved : StoredClientChange
{
    private protected override async Task<bool> ChangeAsync(ServerDb db, string clientId, DateTimeOffset now, CancellationToken ct)
    {
        if (await db.Clients.Where(client => client.Id == clientId).ExecuteDeleteAsync(ct) == 0)
        {
            return false;
        }

        DateTimeOffset? at = now;
        await db.Tokens.Where(token => token.ClientId == clientId && token.GrantId == null && token.EndedAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(token => token.EndedAt, at), ct);
        await db.Consents.Where(consent => consent.ClientId == clientId).ExecuteDeleteAsync(ct);

        // Who gets the id next has fetched nothing yet.
        await db.KeyFetches.Where(fetch => fetch.ClientId == clientId).ExecuteDeleteAsync(ct);
        return true;
    }
}

/// <summary>The client is as good as gone until it is enabled again; consents stay.</summary>
public sealed record ClientDisabled : StoredClientChange
{
    private protected override async Task<bool> ChangeAsync(ServerDb db, string clientId, DateTimeOffset now, CancellationToken ct)
    {
        DateTimeOffset? at = now;
        return await db.Clients.Where(client => client.Id == clientId && client.DisabledAt == null)
            .ExecuteUpdateAsync(
                set => set.SetProperty(client => client.DisabledAt, at).SetProperty(client => client.Version, client => client.Version + 1),
                ct) == 1;
    }
}
