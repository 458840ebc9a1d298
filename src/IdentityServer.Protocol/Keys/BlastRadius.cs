namespace IdentityServer.Protocol.Keys;

/// <summary>What depends on a key: the tokens it signed that are not over yet.</summary>
/// <param name="ByClient">What each client still has, most first.</param>
/// <param name="LastEnd">When the last of them is over; until then an API that does not ask accepts it. <see langword="null"/>: there is none.</param>
public sealed record BlastRadius(IReadOnlyList<ClientUse> ByClient, DateTimeOffset? LastEnd)
{
    public long Tokens => ByClient.Sum(use => use.Tokens);

    /// <summary>Of the uses that are alive; counted to ten minutes and to the last few seconds.</summary>
    public static BlastRadius Of(string kid, IEnumerable<KeyUse> alive)
    {
        ClientUse[] byClient =
        [
            .. alive.Where(use => use.Kid == kid)
                .GroupBy(use => use.ClientId, StringComparer.Ordinal)
                .Select(group => new ClientUse(group.Key, group.Sum(use => use.Count), group.Max(use => use.Until)))
                .OrderByDescending(use => use.Tokens)
                .ThenBy(use => use.ClientId, StringComparer.Ordinal),
        ];
        return new BlastRadius(byClient, byClient.Length == 0 ? null : byClient.Max(use => use.LastEnd));
    }
}

/// <summary>What a client still has of a key.</summary>
public sealed record ClientUse(string ClientId, long Tokens, DateTimeOffset LastEnd);

/// <summary>What signs once a key is taken back: see <see cref="KeyRollover.CompromiseAsync"/>.</summary>
/// <param name="Kind">In short.</param>
/// <param name="Kid">The key, where it is there already.</param>
public sealed record Takeover(TakeoverKind Kind, string? Kid)
{
    public static Takeover From(SigningKey key, KeyTimeline timeline, DateTimeOffset now) =>
        timeline.SigningAt(now)?.Kid != key.Kid ? new Takeover(TakeoverKind.Unchanged, null)
        : timeline.PendingAt(now) is { } pending ? new Takeover(TakeoverKind.Announced, pending.Kid)
        : new Takeover(TakeoverKind.New, null);
}

/// <summary>Which key signs after a compromise.</summary>
public enum TakeoverKind
{
    /// <summary>The key did not sign; the one that does goes on.</summary>
    Unchanged,

    /// <summary>The key that is announced.</summary>
    Announced,

    /// <summary>One that is made then, and that no client has.</summary>
    New,
}
