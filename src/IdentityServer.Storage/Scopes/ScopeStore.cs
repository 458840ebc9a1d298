using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Scopes;

internal sealed class ScopeStore(IDbContextFactory<ServerDb> databases, IDeeds deeds) : IScopeStore
{
    public async ValueTask<IReadOnlyList<Scope>> ListScopesAsync(CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Scopes.AsNoTracking().OrderBy(scope => scope.Name).ToListAsync(ct);
    }

    public async ValueTask<IReadOnlyList<ApiResource>> ListApisAsync(CancellationToken ct)
    {
        await using var db = await databases.CreateDbContextAsync(ct);
        return await db.Apis.AsNoTracking().OrderBy(api => api.Name).ToListAsync(ct);
    }

    public ValueTask<bool> AddScopeAsync(Scope scope, AuditEvent audit, CancellationToken ct) =>
        AddAsync(scope, scope.Name, audit, ct);

    public ValueTask<bool> AddApiAsync(ApiResource api, AuditEvent audit, CancellationToken ct) =>
        AddAsync(api, api.Name, audit, ct);

    private async ValueTask<bool> AddAsync(object row, string name, AuditEvent audit, CancellationToken ct)
    {
        Identifiers.Require(name);
        try
        {
            return await deeds.RunAsync(
                async (db, ct) =>
                {
                    db.Add(row);
                    db.Announce(ChangeKind.Scope, name, audit.At);
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
}
