using System.Collections.Concurrent;
using System.Collections.Frozen;
using IdentityServer.Protocol.Changes;

namespace IdentityServer.Protocol.Clients;

/// <summary>Clients in memory, true within the change log's interval; an unknown id reads through to storage.</summary>
public sealed class ClientDirectory(IClientStore store, TimeProvider clock) : IChangeListener
{
    // An unknown id asks storage at most once per interval, so that guessing ids cannot turn into database load.
    private static readonly TimeSpan MissLifetime = TimeSpan.FromMilliseconds(500);
    private const int MaxMisses = 10_000;

    private readonly ConcurrentDictionary<string, DateTimeOffset> _misses = new(StringComparer.Ordinal);
    private volatile FrozenDictionary<string, Client> _clients = FrozenDictionary<string, Client>.Empty;
    private volatile FrozenSet<string> _origins = [];

    /// <summary>All enabled clients.</summary>
    public IEnumerable<Client> All => _clients.Values.Where(client => client.DisabledAt is null);

    /// <summary>The client, unless unknown or disabled.</summary>
    public ValueTask<Client?> FindAsync(string clientId, CancellationToken ct) =>
        _clients.TryGetValue(clientId, out var client)
            ? new(client.DisabledAt is null ? client : null)
            : ReadThroughAsync(clientId, ct);

    /// <summary>True when a registered client's scripts run on this origin.</summary>
    public bool IsAllowedOrigin(string origin) => _origins.Contains(origin);

    public async ValueTask LoadAsync(CancellationToken ct) => Replace(await store.ListAsync(ct));

    public async ValueTask ApplyAsync(IReadOnlyList<Change> changes, CancellationToken ct)
    {
        var ids = changes.Where(change => change.Kind == ChangeKind.Client).Select(change => change.Key)
            .Distinct(StringComparer.Ordinal).ToArray();
        if (ids.Length == 0)
        {
            return;
        }

        var next = new Dictionary<string, Client>(_clients, StringComparer.Ordinal);
        foreach (var id in ids)
        {
            _misses.TryRemove(id, out _);
            if (await store.FindAsync(id, ct) is { } client)
            {
                next[id] = client;
            }
            else
            {
                next.Remove(id);
            }
        }

        Replace(next.Values);
    }

    private async ValueTask<Client?> ReadThroughAsync(string clientId, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (clientId.Length > 200 || (_misses.TryGetValue(clientId, out var at) && now - at < MissLifetime))
        {
            return null;
        }

        // The snapshot follows by the change log; this answer serves the first request until then.
        var client = await store.FindAsync(clientId, ct);
        if (client is null)
        {
            if (_misses.Count >= MaxMisses)
            {
                _misses.Clear();
            }

            _misses[clientId] = now;
        }

        return client is { DisabledAt: null } ? client : null;
    }

    private void Replace(IEnumerable<Client> clients)
    {
        _clients = clients.ToFrozenDictionary(client => client.Id, StringComparer.Ordinal);
        _origins = _clients.Values
            .Where(client => client.DisabledAt is null)
            .SelectMany(Origins)
            .ToFrozenSet(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Origins(Client client) => client.Type == ClientType.Spa
        ? client.AllowedOrigins.Concat(client.RedirectUris.Select(OriginOf))
        : client.AllowedOrigins;

    private static string OriginOf(string uri) => new Uri(uri).GetLeftPart(UriPartial.Authority).ToLowerInvariant();
}
