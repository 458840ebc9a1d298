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

    public long TokensOf(string kid) => uses.Where(use => use.Kid == kid).Sum(use => use.Count);

    /// <summary>What each client still has of a key, most first.</summary>
    public IReadOnlyList<ClientUse> UsesOf(string kid) =>
    [
        .. uses.Where(use => use.Kid == kid)
            .GroupBy(use => use.ClientId, StringComparer.Ordinal)
            .Select(group => new ClientUse(group.Key, group.Sum(use => use.Count), group.Max(use => use.Until)))
            .OrderByDescending(use => use.Tokens).ThenBy(use => use.ClientId, StringComparer.Ordinal),
    ];

    /// <summary>What signs once this key is taken back; see <see cref="KeyRollover.CompromiseAsync"/>.</summary>
    public Takeover TakeoverFrom(KeyEntry entry) =>
        entry.State != KeyState.Active ? new Takeover(TakeoverKind.Unchanged, null)
        : TimelineOf(entry.Key.Algorithm).PendingAt(now) is { } pending ? new Takeover(TakeoverKind.Announced, pending.Kid)
        : new Takeover(TakeoverKind.New, null);

    /// <summary>When the plan lets the next key sign: after what is announced, or when the job would announce it for.</summary>
    public DateTimeOffset? NextPlanned(string algorithm)
    {
        var timeline = TimelineOf(algorithm);
        var last = timeline.PendingAt(now) ?? timeline.CurrentAt(now);
        if (last is null || rows.PlanOf(algorithm) is not { } plan || plan.NextAfter(last.EffectiveAt ?? last.At, policy, calendar) is not { } due)
        {
            return null;
        }

        var lead = LeadOf(plan, last.EffectiveAt ?? last.At, due);
        return due > now + lead ? due : now + lead;
    }

    /// <summary>When that key is announced.</summary>
    public DateTimeOffset? NextAnnounced(string algorithm)
    {
        var timeline = TimelineOf(algorithm);
        return (timeline.PendingAt(now) ?? timeline.CurrentAt(now)) is { } last && NextPlanned(algorithm) is { } next
            ? next - LeadOf(rows.PlanOf(algorithm)!, last.EffectiveAt ?? last.At, next)
            : null;
    }

    // As the job decides it.
    private TimeSpan LeadOf(KeyPlan plan, DateTimeOffset since, DateTimeOffset due) =>
        plan.IsForced && due - since < Lead.Needed ? due - since : Lead.Needed;
}

/// <summary>What a client still has of a key.</summary>
internal sealed record ClientUse(string ClientId, long Tokens, DateTimeOffset LastEnd);

/// <summary>What signs after a compromise.</summary>
internal enum TakeoverKind
{
    /// <summary>The key did not sign; the one that does goes on.</summary>
    Unchanged,

    /// <summary>The key that is announced.</summary>
    Announced,

    /// <summary>One that is made then, and that no client has.</summary>
    New,
}

/// <summary>What signs after a compromise, and the key where it is there already.</summary>
internal sealed record Takeover(TakeoverKind Kind, string? Kid);

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
