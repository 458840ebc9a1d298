using System.Collections.Concurrent;
using System.Globalization;
using IdentityServer.Protocol.Changes;

namespace IdentityServer.Protocol.Revocations;

/// <summary>What has ended, in memory: a check is a dictionary lookup. Other nodes' endings arrive by the change log.</summary>
public sealed class RevocationList(IRevocationStore store, TimeProvider clock) : IChangeListener
{
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<(RevocationKind Kind, string Key), DateTimeOffset> _ended = new();
    private long _lastPurge = clock.GetTimestamp();

    /// <summary>True when the token, its grant or its session has ended.</summary>
    public bool IsEnded(string tokenId, string? grantId, string? sessionId) =>
        !_ended.IsEmpty
        && (_ended.ContainsKey((RevocationKind.Token, tokenId))
            || (grantId is not null && _ended.ContainsKey((RevocationKind.Grant, grantId)))
            || (sessionId is not null && _ended.ContainsKey((RevocationKind.Session, sessionId))));

    /// <summary>Takes effect on this node at once.</summary>
    public void Add(Revocation revocation) => _ended[(revocation.Kind, revocation.Key)] = revocation.ExpiresAt;

    public async ValueTask LoadAsync(CancellationToken ct)
    {
        foreach (var revocation in await store.ListAsync(clock.GetUtcNow(), ct))
        {
            Add(revocation);
        }
    }

    public ValueTask ApplyAsync(IReadOnlyList<Change> changes, CancellationToken ct)
    {
        foreach (var change in changes.Where(change => change.Kind == ChangeKind.Revocation))
        {
            Add(Parse(change.Key));
        }

        if (clock.GetElapsedTime(_lastPurge) > PurgeInterval)
        {
            _lastPurge = clock.GetTimestamp();
            var now = clock.GetUtcNow();
            foreach (var (key, expiresAt) in _ended)
            {
                if (expiresAt <= now)
                {
                    _ended.TryRemove(key, out _);
                }
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>The text of a revocation in the change log: see <see cref="Change.Key"/>.</summary>
    public static string Format(Revocation revocation) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(int)revocation.Kind}:{revocation.Key}:{revocation.At.ToUnixTimeMilliseconds()}:{revocation.ExpiresAt.ToUnixTimeMilliseconds()}");

    /// <summary>Reads what <see cref="Format"/> wrote.</summary>
    public static Revocation Parse(string text)
    {
        var parts = text.Split(':');
        return new(
            (RevocationKind)int.Parse(parts[0], CultureInfo.InvariantCulture),
            parts[1],
            Instant(parts[2]),
            Instant(parts[3]));
    }

    private static DateTimeOffset Instant(string milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(milliseconds, CultureInfo.InvariantCulture));
}
