using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using IdentityServer.ResourceServer.Tokens;

namespace IdentityServer.ResourceServer.Revocations;

/// <summary>
/// What has ended, as far as the feed told: ids by hash, so that a million of them are some 70 MB, and cutoffs by subject and client.
/// Forgotten once nothing that they end can be alive.
/// </summary>
internal sealed class EndedTokens(TimeProvider clock)
{
    private const string Everything = "everything";
    private static readonly TimeSpan PurgeInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<UInt128, long> _ids = new();
    private readonly ConcurrentDictionary<(string Kind, string Key), Cutoff[]> _cutoffs = new();
    private DateTimeOffset _lastPurge = clock.GetUtcNow();

    /// <summary>How many are remembered.</summary>
    public int Count => _ids.Count + _cutoffs.Count;

    /// <summary>Remembers it; false when its kind is unknown. The same again is harmless.</summary>
    public bool Add(FeedRevocation revocation)
    {
        switch (revocation.Kind)
        {
            case "token" or "grant" or "session" or "key":
                _ids.AddOrUpdate(HashOf(revocation.Kind, revocation.Key), revocation.ExpiresAt, (_, until) => Math.Max(until, revocation.ExpiresAt));
                break;
            case "subject" or "client" or Everything:
                // Whatever the key of one that is for all.
                var key = revocation.Kind == Everything ? "" : revocation.Key;
                var cutoff = new Cutoff(revocation.Epoch, revocation.ExceptSessionId, revocation.ExpiresAt);
                _cutoffs.AddOrUpdate((revocation.Kind, key), [cutoff], (_, known) => With(known, cutoff));
                break;
            default:
                return false;
        }

        Purge();
        return true;
    }

    /// <summary>By which kind of revocation the token has ended; <see langword="null"/> when it has not.</summary>
    public string? Find(AccessToken token) =>
        Holds("token", token.Id) ? "token"
        : Holds("grant", token.GrantId) ? "grant"
        : Holds("session", token.SessionId) ? "session"
        : Holds("key", token.KeyId) ? "key"
        : IsCutOff("subject", token.Subject, token) ? "subject"
        : IsCutOff("client", token.ClientId, token) ? "client"
        : IsCutOff(Everything, "", token) ? Everything
        : null;

    private bool Holds(string kind, string? key) => key is not null && !_ids.IsEmpty && _ids.ContainsKey(HashOf(kind, key));

    private bool IsCutOff(string kind, string key, AccessToken token) =>
        !_cutoffs.IsEmpty
        && _cutoffs.TryGetValue((kind, key), out var cutoffs)
        && Array.Exists(cutoffs, cutoff =>
            token.Epoch < cutoff.Epoch && (cutoff.ExceptSessionId is null || token.SessionId != cutoff.ExceptSessionId));

    // A later cutoff does not make an earlier one void: each may spare another session. What the new one ends too is dropped.
    private static Cutoff[] With(Cutoff[] known, Cutoff added) =>
        Array.Exists(known, cutoff => cutoff.Covers(added)) ? known : [.. known.Where(cutoff => !added.Covers(cutoff)), added];

    private void Purge()
    {
        var now = clock.GetUtcNow();
        if (now - _lastPurge < PurgeInterval)
        {
            return;
        }

        _lastPurge = now;
        var instant = now.ToUnixTimeMilliseconds();
        foreach (var entry in _ids.Where(entry => entry.Value <= instant))
        {
            _ids.TryRemove(entry);
        }

        foreach (var (key, cutoffs) in _cutoffs)
        {
            var alive = Array.FindAll(cutoffs, cutoff => cutoff.ExpiresAt > instant);
            if (alive.Length == 0)
            {
                _cutoffs.TryRemove(new(key, cutoffs));
            }
            else if (alive.Length < cutoffs.Length)
            {
                _cutoffs.TryUpdate(key, alive, cutoffs);
            }
        }
    }

    // 128 bits of SHA-256: nobody finds two ids that share them.
    private static UInt128 HashOf(string kind, string key)
    {
        Span<byte> text = stackalloc byte[512];
        var length = Encoding.UTF8.TryGetBytes(kind, text, out var first) && Encoding.UTF8.TryGetBytes(key, text[(first + 1)..], out var second)
            ? first + 1 + second
            : -1;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (length < 0)
        {
            SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\0{key}"), hash);
        }
        else
        {
            text[first] = 0;
            SHA256.HashData(text[..length], hash);
        }

        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    private sealed record Cutoff(long Epoch, string? ExceptSessionId, long ExpiresAt)
    {
        public bool Covers(Cutoff other) =>
            Epoch >= other.Epoch && ExpiresAt >= other.ExpiresAt && (ExceptSessionId is null || ExceptSessionId == other.ExceptSessionId);
    }
}
