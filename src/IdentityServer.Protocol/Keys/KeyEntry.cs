namespace IdentityServer.Protocol.Keys;

/// <summary>A key as it stands at an instant, for whoever looks at it.</summary>
/// <param name="Key">The key.</param>
/// <param name="State">Where it stands.</param>
/// <param name="ActiveFrom">When it starts, or last started, to sign: an announced key's planned time, even while that is held.</param>
/// <param name="RetiresAt">When it leaves, or left, the JWKS; <see langword="null"/> while nothing follows it.</param>
/// <param name="IsHeld">It waits for clients and will not sign before they have it.</param>
public sealed record KeyEntry(SigningKey Key, KeyState State, DateTimeOffset? ActiveFrom, DateTimeOffset? RetiresAt, bool IsHeld)
{
    /// <summary>Every key, by algorithm, then by age.</summary>
    public static IReadOnlyList<KeyEntry> List(KeyRows rows, KeyPolicy policy, DateTimeOffset now) =>
    [
        .. rows.Keys.GroupBy(key => key.Algorithm, StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .SelectMany(group =>
            {
                var timeline = rows.TimelineOf(group.Key, policy);
                return group.OrderBy(key => key.CreatedAt).Select(key => new KeyEntry(
                    key,
                    timeline.StateOf(key, now),
                    timeline.ActiveFrom(key, now) ?? (timeline.Held?.Kid == key.Kid ? timeline.Held.At : null),
                    timeline.RetiresAt(key, now),
                    timeline.Held?.Kid == key.Kid));
            }),
    ];
}
