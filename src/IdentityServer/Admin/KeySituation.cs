using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;

namespace IdentityServer.Admin;

/// <summary>Everything there is to say about the keys at one instant: what the API answers and the page shows.</summary>
internal sealed class KeySituation(
    DateTimeOffset now,
    KeyRows rows,
    IReadOnlyList<KeyUse> uses,
    IReadOnlyList<KeyFetch> fetches,
    IReadOnlyList<Client> clients,
    KeyPolicy policy,
    ICronCalendar calendar)
{
    public DateTimeOffset Now => now;

    public KeyRows Rows => rows;

    public KeyPolicy Policy => policy;

    /// <summary>Tokens that are alive, by key, client and end.</summary>
    public IReadOnlyList<KeyUse> Uses => uses;

    /// <summary>Who fetched which key at an address of its own.</summary>
    public IReadOnlyList<KeyFetch> Fetches => fetches;

    public IReadOnlyList<Client> Clients => clients;

    public IReadOnlyList<KeyEntry> Entries { get; } = KeyEntry.List(rows, policy, now);

    /// <summary>How long a key must be announced, as things stand.</summary>
    public LeadTime Lead { get; } = policy.LeadFor(clients);

    public KeyEntry? Find(string kid) => Entries.FirstOrDefault(entry => entry.Key.Kid == kid);

    public KeyTimeline TimelineOf(string algorithm) => rows.TimelineOf(algorithm, policy);

    /// <summary>What depends on a key.</summary>
    public BlastRadius RadiusOf(string kid) => BlastRadius.Of(kid, uses);

    /// <summary>What signs once this key is taken back.</summary>
    public Takeover TakeoverFrom(KeyEntry entry) => Takeover.From(entry.Key, TimelineOf(entry.Key.Algorithm), now);

    /// <summary>The rollover that the plan brings after what is announced, or after what signs.</summary>
    public PlannedRollover? NextPlanned(string algorithm)
    {
        var timeline = TimelineOf(algorithm);
        return (timeline.PendingAt(now) ?? timeline.CurrentAt(now)) is { } last
            ? rows.PlanOf(algorithm)?.After(last, policy, Lead, calendar, now)
            : null;
    }
}

/// <summary>Looks at the keys.</summary>
internal sealed class KeySituations(
    IKeyStore store,
    IKeyUseStore uses,
    IKeyFetchStore fetches,
    IClientStore clients,
    KeyUseLedger used,
    KeyFetchLedger fetched,
    KeyPolicy policy,
    ICronCalendar calendar,
    TimeProvider clock)
{
    public async ValueTask<KeySituation> ReadAsync(CancellationToken ct)
    {
        // What this node has counted and not yet written down belongs to the answer.
        await used.FlushAsync(ct);
        await fetched.FlushAsync(ct);
        var now = clock.GetUtcNow();
        return new KeySituation(
            now,
            await store.LoadAsync(ct),
            await uses.ListAsync(now, ct),
            await fetches.ListAsync(ct),
            await clients.ListAsync(ct),
            policy,
            calendar);
    }
}
