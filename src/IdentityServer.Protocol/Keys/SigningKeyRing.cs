using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.Protocol.Keys;

/// <summary>
/// The keys in memory: which one signs now, and the prepared JWKS. Swaps itself when the clock reaches a boundary, and
/// follows the change log.
/// </summary>
public sealed class SigningKeyRing(IKeyStore store, KeyFactory factory, KeyPolicy policy, TimeProvider clock) : IChangeListener, IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private volatile Loaded _loaded = new(new KeyRows([], [], []), FrozenDictionary<string, OpenedKey>.Empty);
    private volatile Prepared? _prepared;

    /// <summary>What holds at this instant.</summary>
    public Snapshot Current
    {
        get
        {
            var now = clock.GetUtcNow();
            return _prepared is { Snapshot: var snapshot } prepared && ReferenceEquals(prepared.Source, _loaded)
                && now < snapshot.Until && now >= snapshot.From
                    ? snapshot
                    : Renew(now);
        }
    }

    /// <summary>Everything known of the keys.</summary>
    public KeyRows Rows => _loaded.Rows;

    /// <summary>
    /// Loads the keys; makes the first of each algorithm when there is none. Throws when a key that must sign or will sign
    /// cannot be opened: it never makes a new key to get going [K2].
    /// </summary>
    public async ValueTask LoadAsync(CancellationToken ct)
    {
        await ReloadAsync(ct);
        var rows = Rows;
        var missing = KeyFactory.Algorithms.Where(name => rows.PlanOf(name) is null).ToArray();
        if (missing.Length > 0)
        {
            // Side by side: an RSA key takes a good part of a second to find.
            await Task.WhenAll(missing.Select(algorithm => Task.Run(() => AddFirstAsync(algorithm, ct), ct)));
            await ReloadAsync(ct);
        }
    }

    public async ValueTask ApplyAsync(IReadOnlyList<Change> changes, CancellationToken ct)
    {
        if (changes.Any(change => change.Kind == ChangeKind.Key))
        {
            await ReloadAsync(ct);
        }
    }

    /// <summary>Reads the keys again: for whoever has just changed them and cannot wait for the change log.</summary>
    public async ValueTask ReloadAsync(CancellationToken ct)
    {
        // One at a time: of two who read, the one who read earlier must not be the one who is remembered.
        await _oneAtATime.WaitAsync(ct);
        try
        {
            OpenAll(await store.LoadAsync(ct));
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();

    private async Task AddFirstAsync(string algorithm, CancellationToken ct)
    {
        var first = factory.Create(algorithm);
        var activation = new KeyActivation
        {
            Id = Handle.NewId(),
            Algorithm = algorithm,
            Kid = first.Kid,
            Predecessor = "",
            At = first.CreatedAt,
        };
        var change = new KeyChange { Plan = new KeyPlan { Algorithm = algorithm }, AddedKey = first, AddedActivation = activation };

        // False: another node was first, and its key is read instead.
        await store.TryChangeAsync(change, new AuditEvent(AuditTypes.KeyCreated, first.CreatedAt) { Detail = $"{algorithm} {first.Kid}" }, ct);
    }

    private void OpenAll(KeyRows rows)
    {
        var known = _loaded.Opened;
        var opened = new Dictionary<string, OpenedKey>(StringComparer.Ordinal);
        var unreadable = new List<SigningKey>();
        foreach (var key in rows.Keys.Where(key => key is { ErasedAt: null, RevokedAt: null }))
        {
            if (known.TryGetValue(key.Kid, out var before))
            {
                opened[key.Kid] = before;
            }
            else if (factory.Open(key) is { } algorithm)
            {
                opened[key.Kid] = new OpenedKey(key, algorithm);
            }
            else
            {
                unreadable.Add(key);
            }
        }

        if (unreadable.Count > 0)
        {
            throw new KeysUnreadableException(unreadable);
        }

        _loaded = new Loaded(rows, opened.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private Snapshot Renew(DateTimeOffset now)
    {
        var loaded = _loaded;
        var (rows, opened) = loaded;
        var signing = new Dictionary<string, SigningCredentials>(StringComparer.Ordinal);
        var published = new List<SigningKey>();
        DateTimeOffset? until = null;
        foreach (var algorithm in rows.Plans.Select(plan => plan.Algorithm).Order(StringComparer.Ordinal))
        {
            var timeline = rows.TimelineOf(algorithm, policy);
            published.AddRange(timeline.PublishedAt(now));
            if (timeline.SigningAt(now) is { } active && opened.TryGetValue(active.Kid, out var key))
            {
                signing[algorithm] = key.Credentials;
            }

            if (timeline.NextBoundary(now) is { } boundary && (until is null || boundary < until))
            {
                until = boundary;
            }
        }

        var jwks = Encoding.UTF8.GetBytes($$"""{"keys":[{{string.Join(',', published.Select(key => key.PublicJwk))}}]}""");
        var snapshot = new Snapshot(
            signing.ToFrozenDictionary(StringComparer.Ordinal),
            published.ToFrozenDictionary(key => key.Kid, key => (SecurityKey)new JsonWebKey(key.PublicJwk), StringComparer.Ordinal),
            rows.Keys.Where(key => key.RevokedAt is null)
                .ToFrozenDictionary(key => key.Kid, key => (SecurityKey)new JsonWebKey(key.PublicJwk), StringComparer.Ordinal),
            jwks,
            $"\"{Convert.ToHexString(SHA256.HashData(jwks), 0, 12)}\"",
            now,
            until ?? DateTimeOffset.MaxValue);
        _prepared = new Prepared(loaded, snapshot);
        return snapshot;
    }

    /// <summary>A snapshot and what it was taken of: one taken of keys that were replaced meanwhile must not stay.</summary>
    private sealed record Prepared(Loaded Source, Snapshot Snapshot);

    private sealed record Loaded(KeyRows Rows, FrozenDictionary<string, OpenedKey> Opened);

    private sealed class OpenedKey(SigningKey key, AsymmetricAlgorithm algorithm)
    {
        public SigningCredentials Credentials { get; } = new(ToSecurityKey(key, algorithm), key.Algorithm);

        private static SecurityKey ToSecurityKey(SigningKey key, AsymmetricAlgorithm algorithm) => algorithm is ECDsa ec
            ? new ECDsaSecurityKey(ec) { KeyId = key.Kid }
            : new RsaSecurityKey((RSA)algorithm) { KeyId = key.Kid };
    }

    /// <summary>The keys between two boundaries.</summary>
    /// <param name="Signing">Algorithm to the credentials that sign now.</param>
    /// <param name="Published">Kid to public key, for validating what we signed.</param>
    /// <param name="Known">Every key not revoked, also retired ones: an <c>id_token_hint</c> may be old (OpenID Connect Core §3.1.2.1).</param>
    /// <param name="Jwks">The JWKS document, UTF-8.</param>
    /// <param name="ETag">Changes with the document.</param>
    /// <param name="From">When the snapshot was taken; a clock stepped back before it takes a new one.</param>
    /// <param name="Until">The next boundary.</param>
    public sealed record Snapshot(
        FrozenDictionary<string, SigningCredentials> Signing,
        FrozenDictionary<string, SecurityKey> Published,
        FrozenDictionary<string, SecurityKey> Known,
        ReadOnlyMemory<byte> Jwks,
        string ETag,
        DateTimeOffset From,
        DateTimeOffset Until);
}

/// <summary>Signing keys exist that the master key does not open.</summary>
public sealed class KeysUnreadableException(IReadOnlyList<SigningKey> keys) : Exception(
    "The master key does not open these signing keys: "
    + string.Join(", ", keys.Select(key => $"{key.Kid} ({key.Algorithm}, sealed under master key {key.MasterKeyId})"))
    + ". Nothing was changed and no new key was made. Start with the master key that sealed them.")
{
    /// <summary>The keys that stay closed.</summary>
    public IReadOnlyList<SigningKey> Keys { get; } = keys;
}
