using System.Collections.Frozen;
using IdentityServer.Protocol.Changes;

namespace IdentityServer.Protocol.Scopes;

/// <summary>Scopes and APIs in memory: which scopes exist, and which audience each belongs to.</summary>
public sealed class ScopeCatalog(IScopeStore store) : IChangeListener
{
    private volatile Snapshot _current = Snapshot.Of([], []);

    /// <summary>Every scope, built in and registered, by name.</summary>
    public IReadOnlyDictionary<string, Scope> All => _current.Scopes;

    public Scope? Find(string name) => _current.Scopes.GetValueOrDefault(name);

    public ApiResource? FindApi(string name) => _current.Apis.GetValueOrDefault(name);

    /// <summary>The APIs that the scopes belong to, in the order of the scopes, each once.</summary>
    public IReadOnlyList<string> AudiencesOf(IReadOnlyList<string> scopes)
    {
        var audiences = _current.Audiences;
        List<string>? found = null;
        foreach (var scope in scopes)
        {
            if (!audiences.TryGetValue(scope, out var names))
            {
                continue;
            }

            foreach (var name in names)
            {
                if (found is null || !found.Contains(name))
                {
                    (found ??= []).Add(name);
                }
            }
        }

        return found ?? (IReadOnlyList<string>)[];
    }

    /// <summary>
    /// What a request may have: the scopes asked for, if the client may ask for each (<paramref name="allowed"/>) and each
    /// exists; <paramref name="ifNone"/> when it asked for none.
    /// </summary>
    public Result<IReadOnlyList<string>> Choose(FrozenSet<string> allowed, string? requested, IReadOnlyList<string> ifNone)
    {
        if (requested is null)
        {
            return new(ifNone);
        }

        var scopes = requested.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (scopes.Length > 64)
        {
            return ProtocolError.InvalidScope("The request asks for too many scopes.");
        }

        foreach (var scope in scopes)
        {
            if (!allowed.Contains(scope) || !_current.Scopes.ContainsKey(scope))
            {
                return ProtocolError.InvalidScope("The client may not ask for one of the scopes.");
            }
        }

        return new(scopes.Distinct(StringComparer.Ordinal).ToArray());
    }

    public async ValueTask LoadAsync(CancellationToken ct) =>
        _current = Snapshot.Of(await store.ListScopesAsync(ct), await store.ListApisAsync(ct));

    public ValueTask ApplyAsync(IReadOnlyList<Change> changes, CancellationToken ct) =>
        changes.Any(change => change.Kind == ChangeKind.Scope) ? LoadAsync(ct) : ValueTask.CompletedTask;

    private sealed record Snapshot(
        FrozenDictionary<string, Scope> Scopes,
        FrozenDictionary<string, ApiResource> Apis,
        FrozenDictionary<string, string[]> Audiences)
    {
        public static Snapshot Of(IReadOnlyList<Scope> scopes, IReadOnlyList<ApiResource> apis) => new(
            StandardScopes.All.Values.Concat(AdminScopes.All.Values).Concat(scopes.Where(scope => !AdminScopes.IsBuiltIn(scope.Name)))
                .ToFrozenDictionary(scope => scope.Name, StringComparer.Ordinal),
            apis.ToFrozenDictionary(api => api.Name, StringComparer.Ordinal),
            apis.SelectMany(api => api.Scopes, (api, scope) => (scope, api.Name))
                .GroupBy(pair => pair.scope, StringComparer.Ordinal)
                .ToFrozenDictionary(group => group.Key, group => group.Select(pair => pair.Name).ToArray(), StringComparer.Ordinal));
    }
}
