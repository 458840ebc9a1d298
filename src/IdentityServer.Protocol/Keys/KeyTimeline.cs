namespace IdentityServer.Protocol.Keys;

/// <summary>The life of the keys of one algorithm, read off the clock (docs/adr/0006).</summary>
public sealed class KeyTimeline
{
    private readonly Dictionary<string, SigningKey> _keys;
    private readonly KeyActivation[] _spans;
    private readonly KeyPolicy _policy;

    /// <param name="keys">All keys of one algorithm, in any order.</param>
    /// <param name="activations">When they start to sign, in any order.</param>
    /// <param name="policy">How long they live.</param>
    public KeyTimeline(IEnumerable<SigningKey> keys, IEnumerable<KeyActivation> activations, KeyPolicy policy)
    {
        _keys = keys.ToDictionary(key => key.Kid, StringComparer.Ordinal);
        var all = InOrder([.. activations]);
        _spans = [.. all.Where(span => span.EffectiveAt is not null).OrderBy(span => span.EffectiveAt)];
        Held = Array.Find(all, span => span.EffectiveAt is null);
        _policy = policy;
    }

    /// <summary>The activation that waits for clients and has no effect yet.</summary>
    public KeyActivation? Held { get; }

    /// <summary>
    /// The key that signs: the last one whose time has come. A late rollover never stops signing, and the first key of all signs whatever
    /// a node's clock says of the moment it was made.
    /// </summary>
    public SigningKey? SigningAt(DateTimeOffset now) => CurrentAt(now) is { } current ? _keys[current.Kid] : null;

    /// <summary>
    /// The activation of the key that signs. Where that key was taken back, it is the one that took over: a node whose clock is behind the
    /// one that said so would otherwise go back to a key that may be long gone.
    /// </summary>
    public KeyActivation? CurrentAt(DateTimeOffset now)
    {
        var last = Array.FindLastIndex(_spans, span => span.EffectiveAt <= now);
        var next = Array.FindIndex(_spans, Math.Max(last, 0), span => !IsRevoked(span));
        return next >= 0 ? _spans[next] : Array.FindLast(_spans, span => !IsRevoked(span));
    }

    /// <summary>The activation still to come, held or not.</summary>
    public KeyActivation? PendingAt(DateTimeOffset now) =>
        Held ?? (_spans is [.., var last] && last.EffectiveAt > now && last.Id != CurrentAt(now)?.Id ? last : null);

    /// <summary>The key that signed before this one and is still published: what an undo goes back to.</summary>
    public SigningKey? BeforeAt(DateTimeOffset now) => CurrentAt(now) is { } current
        && _spans.TakeWhile(span => span.Id != current.Id).LastOrDefault(span => span.Kid != current.Kid && !IsRevoked(span)) is { } before
        && _keys[before.Kid] is var key && StateOf(key, now) == KeyState.Retiring
            ? key
            : null;

    /// <summary>The keys in the JWKS, oldest first.</summary>
    public IEnumerable<SigningKey> PublishedAt(DateTimeOffset now) => _keys.Values
        .Where(key => StateOf(key, now) is not KeyState.Retired)
        .OrderBy(key => key.CreatedAt).ThenBy(key => key.Kid, StringComparer.Ordinal);

    public KeyState StateOf(SigningKey key, DateTimeOffset now) => key switch
    {
        { RevokedAt: not null } => KeyState.Retired,
        _ when CurrentAt(now)?.Kid == key.Kid => KeyState.Active,
        _ when IsStillToCome(key, now) => KeyState.Announced,
        _ when now < RetiresAt(key, now) => KeyState.Retiring,
        _ => KeyState.Retired,
    };

    /// <summary>When the key starts, or last started, to sign; <see langword="null"/> while that is held.</summary>
    public DateTimeOffset? ActiveFrom(SigningKey key, DateTimeOffset now) =>
        (Array.FindLast(_spans, span => span.Kid == key.Kid && span.EffectiveAt <= now)
            ?? Array.Find(_spans, span => span.Kid == key.Kid))?.EffectiveAt;

    /// <summary>When the key leaves, or left, the JWKS; <see langword="null"/> while nothing follows it.</summary>
    public DateTimeOffset? RetiresAt(SigningKey key, DateTimeOffset now)
    {
        if (key.RevokedAt is { } revoked)
        {
            return revoked;
        }

        var last = Array.FindLastIndex(_spans, span => span.Kid == key.Kid && (span.EffectiveAt <= now || span.Id == CurrentAt(now)?.Id));
        var end = last < 0 ? null : _spans.Skip(last + 1).FirstOrDefault(span => span.Kid != key.Kid)?.EffectiveAt;
        return end + _policy.Retiring;
    }

    /// <summary>When the private part may go: the margin after the key has left the JWKS for good.</summary>
    public bool MayErase(SigningKey key, DateTimeOffset now) =>
        key.ErasedAt is null && StateOf(key, now) == KeyState.Retired && RetiresAt(key, now) + _policy.ErasureMargin <= now;

    /// <summary>The next instant at which some key's state changes; <see langword="null"/>: none is planned.</summary>
    public DateTimeOffset? NextBoundary(DateTimeOffset now)
    {
        DateTimeOffset? next = null;
        foreach (var span in _spans)
        {
            var from = span.EffectiveAt!.Value;
            foreach (var at in (ReadOnlySpan<DateTimeOffset>)[from, from + _policy.Retiring])
            {
                if (at > now && (next is null || at < next))
                {
                    next = at;
                }
            }
        }

        return next;
    }

    // As they follow one another: of two in the same millisecond, the later one of the chain holds.
    private static KeyActivation[] InOrder(KeyActivation[] activations)
    {
        var byPredecessor = activations.ToLookup(span => span.Predecessor, StringComparer.Ordinal);
        var ordered = new List<KeyActivation>(activations.Length);
        for (var next = byPredecessor[""].ToArray(); next.Length > 0 && ordered.Count < activations.Length; next = [.. byPredecessor[ordered[^1].Id]])
        {
            ordered.AddRange(next);
        }

        return [.. ordered, .. activations.Except(ordered)];
    }

    private bool IsRevoked(KeyActivation span) => !_keys.TryGetValue(span.Kid, out var key) || key.RevokedAt is not null;

    private bool IsStillToCome(SigningKey key, DateTimeOffset now) =>
        Held?.Kid == key.Kid || Array.Exists(_spans, span => span.Kid == key.Kid && span.EffectiveAt > now);
}
