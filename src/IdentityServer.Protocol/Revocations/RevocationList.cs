using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using IdentityServer.Protocol.Changes;

namespace IdentityServer.Protocol.Revocations;

/// <summary>What of a token is compared with what has ended.</summary>
public interface IEndable
{
    /// <summary>The <c>jti</c>.</summary>
    string Id { get; }

    /// <summary>The <c>gid</c>; <see langword="null"/>: a client's own.</summary>
    string? GrantId { get; }

    /// <summary>The <c>sid</c>, when it ends with its session.</summary>
    string? SessionId { get; }

    /// <summary>The <c>sub</c>.</summary>
    string Subject { get; }

    string ClientId { get; }

    /// <summary>The number of the latest cutoff when it was granted.</summary>
    long Epoch { get; }
}

/// <summary>
/// What has ended, in memory: a check is a few dictionary lookups. Other nodes' endings arrive by the change log. A key is kept as 16
/// octets of its hash, so that a million of them fit into 200 MiB.
/// </summary>
public sealed class RevocationList(IRevocations store, TimeProvider clock) : IChangeListener
{
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<UInt128, long> _ended = new();
    private readonly ConcurrentDictionary<(RevocationKind Kind, string Key), Revocation> _cutoffs = new();
    private long _epoch;
    private long _lastPurge = clock.GetTimestamp();

    /// <summary>The number of the latest cutoff that this node has heard of.</summary>
    public long Epoch => Interlocked.Read(ref _epoch);

    /// <summary>How much is remembered.</summary>
    public int Count => _ended.Count + _cutoffs.Count;

    /// <summary>True when the token, its grant, its session, or all that its person or client had has ended.</summary>
    public bool IsEnded(IEndable token) =>
        (!_ended.IsEmpty
            && (_ended.ContainsKey(KeyOf(RevocationKind.Token, token.Id))
                || (token.GrantId is not null && _ended.ContainsKey(KeyOf(RevocationKind.Grant, token.GrantId)))
                || (token.SessionId is not null && _ended.ContainsKey(KeyOf(RevocationKind.Session, token.SessionId)))))
        || (!_cutoffs.IsEmpty
            && ((token.GrantId is not null && IsCut(RevocationKind.Subject, token.Subject, token))
                || IsCut(RevocationKind.Client, token.ClientId, token)
                || IsCut(RevocationKind.Everything, Revocation.Everyone, token)));

    /// <summary>Takes effect on this node at once.</summary>
    /// <returns>False when this node knew it, or something that goes further.</returns>
    public bool Add(Revocation revocation)
    {
        if (!revocation.IsCutoff)
        {
            var (ended, until) = (KeyOf(revocation.Kind, revocation.Key), revocation.ExpiresAt.ToUnixTimeMilliseconds());
            if (_ended.TryAdd(ended, until))
            {
                return true;
            }

            _ended[ended] = until;
            return false;
        }

        // Told twice, or late: the latest counts.
        var isNews = true;
        _cutoffs.AddOrUpdate(
            (revocation.Kind, revocation.Key),
            _ =>
            {
                isNews = true;
                return revocation;
            },
            (_, known) => (isNews = known.Epoch < revocation.Epoch) ? revocation : known);
        long latest;
        while ((latest = Epoch) < revocation.Epoch
            && Interlocked.CompareExchange(ref _epoch, revocation.Epoch, latest) != latest)
        {
        }

        return isNews;
    }

    public async ValueTask LoadAsync(CancellationToken ct)
    {
        await foreach (var page in store.PagesAsync(clock.GetUtcNow(), ct))
        {
            foreach (var revocation in page)
            {
                Add(revocation);
            }
        }
    }

    public ValueTask ApplyAsync(IReadOnlyList<Change> changes, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        foreach (var revocation in changes.Where(change => change.Kind == ChangeKind.Revocation).Select(change => Parse(change.Key)))
        {
            // What this node ended itself, or loaded at its start, did not come to it this way.
            if (Add(revocation))
            {
                RevocationMetrics.Arrived(revocation, now);
            }
        }

        if (clock.GetElapsedTime(_lastPurge) > PurgeInterval)
        {
            _lastPurge = clock.GetTimestamp();
            Purge(now);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>The text of a revocation in the change log: see <see cref="Change.Key"/>.</summary>
    public static string Format(Revocation revocation)
    {
        // The key of a cutoff may be a client id, which may hold a colon.
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"{(int)revocation.Kind}:{Uri.EscapeDataString(revocation.Key)}:{revocation.At.ToUnixTimeMilliseconds()}:{revocation.ExpiresAt.ToUnixTimeMilliseconds()}");
        return revocation.IsCutoff
            ? string.Create(CultureInfo.InvariantCulture, $"{text}:{revocation.Epoch}:{revocation.ExceptSessionId}")
            : text;
    }

    /// <summary>Reads what <see cref="Format"/> wrote.</summary>
    public static Revocation Parse(string text)
    {
        var parts = text.Split(':');
        var revocation = new Revocation(
            (RevocationKind)int.Parse(parts[0], CultureInfo.InvariantCulture),
            Uri.UnescapeDataString(parts[1]),
            Instant(parts[2]),
            Instant(parts[3]));
        return revocation.IsCutoff
            ? revocation with
            {
                Epoch = long.Parse(parts[4], CultureInfo.InvariantCulture),
                ExceptSessionId = parts[5].Length == 0 ? null : parts[5],
            }
            : revocation;
    }

    private bool IsCut(RevocationKind kind, string key, IEndable token) =>
        _cutoffs.TryGetValue((kind, key), out var cutoff)
        && token.Epoch < cutoff.Epoch
        && (cutoff.ExceptSessionId is null || token.SessionId != cutoff.ExceptSessionId);

    private void Purge(DateTimeOffset now)
    {
        var instant = now.ToUnixTimeMilliseconds();
        foreach (var (key, expiresAt) in _ended)
        {
            if (expiresAt <= instant)
            {
                _ended.TryRemove(key, out _);
            }
        }

        foreach (var (key, cutoff) in _cutoffs)
        {
            if (cutoff.ExpiresAt <= now)
            {
                _cutoffs.TryRemove(KeyValuePair.Create(key, cutoff));
            }
        }
    }

    // Ids are random and ours, so nobody chooses two that meet in 128 bits.
    private static UInt128 KeyOf(RevocationKind kind, string key)
    {
        Span<byte> text = stackalloc byte[256];
        text[0] = (byte)kind;
        var octets = key.Length < 128
            ? text[..(1 + Encoding.UTF8.GetBytes(key, text[1..]))]
            : [(byte)kind, .. Encoding.UTF8.GetBytes(key)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(octets, hash);
        return new UInt128(BitConverter.ToUInt64(hash), BitConverter.ToUInt64(hash[8..]));
    }

    private static DateTimeOffset Instant(string milliseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(milliseconds, CultureInfo.InvariantCulture));
}
