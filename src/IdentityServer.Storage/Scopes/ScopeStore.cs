using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Storage.Deeds;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Scopes;

internal sealed class ScopeStore(IStatements statements, IDeeds deeds) : IScopeStore
{
    private static readonly Statement AllScopes = new(
        """SELECT "Name", "DisplayName", "Description", "Claims", "ChangesData" FROM "Scopes" ORDER BY "Name" """);

    private static readonly Statement AllApis = new(
        """SELECT "Name", "DisplayName", "Scopes", "IntrospectionClients" FROM "Apis" ORDER BY "Name" """);

    public ValueTask<IReadOnlyList<Scope>> ListScopesAsync(CancellationToken ct) => statements.ListAsync(
        AllScopes,
        [],
        reader => new Scope(reader.GetString(0))
        {
            DisplayName = reader.TextOrNull(1),
            Description = reader.TextOrNull(2),
            Claims = reader.List(3),
            ChangesData = reader.GetBoolean(4),
        },
        ct);

    public ValueTask<IReadOnlyList<ApiResource>> ListApisAsync(CancellationToken ct) => statements.ListAsync(
        AllApis,
        [],
        reader => new ApiResource(reader.GetString(0))
        {
            DisplayName = reader.TextOrNull(1),
            Scopes = reader.List(2),
            IntrospectionClients = reader.List(3),
        },
        ct);

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
