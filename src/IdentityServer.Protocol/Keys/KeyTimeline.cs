namespace IdentityServer.Protocol.Keys;

/// <summary>The life of the keys of one algorithm, read off the clock (docs/adr/0006).</summary>
public sealed class KeyTimeline
{
    private readonly SigningKey[] _keys;
    private readonly KeyPolicy _policy;

    /// <param name="keys">All keys of one algorithm, in any order.</param>
    /// <param name="policy">How long they live.</param>
    public KeyTimeline(IEnumerable<SigningKey> keys, KeyPolicy policy)
    {
        _keys = [.. keys.Where(key => key.RevokedAt is null).OrderBy(key => key.ActiveFrom).ThenBy(key => key.CreatedAt)];
        _policy = policy;
    }

    /// <summary>The key that signs: the last one whose time has come. A late rollover never stops signing.</summary>
    public SigningKey? SigningAt(DateTimeOffset now) => Array.FindLast(_keys, key => key.ActiveFrom <= now);

    /// <summary>The keys in the JWKS, oldest first.</summary>
    public IEnumerable<SigningKey> PublishedAt(DateTimeOffset now) =>
        _keys.Where(key => StateOf(key, now) is not KeyState.Retired);

    public KeyState StateOf(SigningKey key, DateTimeOffset now)
    {
        var index = Array.FindIndex(_keys, other => other.Kid == key.Kid);
        var successor = index >= 0 && index + 1 < _keys.Length ? _keys[index + 1] : null;

        return key switch
        {
            { RevokedAt: not null } => KeyState.Retired,
            _ when now < key.ActiveFrom => KeyState.Announced,
            _ when successor is null || now < successor.ActiveFrom => KeyState.Active,
            _ when now < successor.ActiveFrom + _policy.Retiring => KeyState.Retiring,
            _ => KeyState.Retired,
        };
    }

    /// <summary>When the key leaves the JWKS; <see langword="null"/> while it has no successor.</summary>
    public DateTimeOffset? RetiresAt(SigningKey key)
    {
        var index = Array.FindIndex(_keys, other => other.Kid == key.Kid);
        return key.RevokedAt ?? (index >= 0 && index + 1 < _keys.Length ? _keys[index + 1].ActiveFrom + _policy.Retiring : null);
    }

    /// <summary>The next instant at which some key's state changes; <see langword="null"/>: none is planned.</summary>
    public DateTimeOffset? NextBoundary(DateTimeOffset now)
    {
        var boundaries = _keys.SelectMany((key, index) => index == 0
                ? new[] { key.ActiveFrom }
                : [key.ActiveFrom, key.ActiveFrom + _policy.Retiring])
            .Where(at => at > now)
            .Order()
            .ToArray();
        return boundaries.Length == 0 ? null : boundaries[0];
    }
}
