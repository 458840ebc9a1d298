using IdentityServer.Protocol.Clients;

namespace IdentityServer.Protocol.Keys;

/// <summary>How long keys live. The reasoning behind each default is in docs/keys.md.</summary>
public sealed record KeyPolicy
{
    /// <summary>The longest a stock .NET client keeps a key set before it asks again.</summary>
    public static readonly TimeSpan StockClientCache = TimeSpan.FromHours(12);

    /// <summary>What is added to the slowest cache: clocks that differ, a fetch that failed and is tried again.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromHours(1);

    /// <summary>The shortest <see cref="Lead"/> a setting may name.</summary>
    public static readonly TimeSpan ShortestLead = TimeSpan.FromHours(24);

    /// <summary>The shortest <see cref="Retiring"/>: the longest-lived token and the margin.</summary>
    public static readonly TimeSpan ShortestRetiring = ClientDraft.LongestLifetime + Margin;

    /// <summary>A change of what will be signed when must have reached every node before it matters.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    /// <summary>From one activation to the next, where no plan says otherwise.</summary>
    public TimeSpan RotationInterval { get; init; } = TimeSpan.FromDays(90);

    /// <summary>From announced to signing, at least.</summary>
    public TimeSpan Lead { get; init; } = ShortestLead;

    /// <summary>How long a key stays published after its successor signs.</summary>
    public TimeSpan Retiring { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long after that the private part is kept.</summary>
    public TimeSpan ErasureMargin { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long the JWKS may be cached on its way (its <c>max-age</c>).</summary>
    public TimeSpan DocumentMaxAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a new key must be announced before it may sign, and what makes it so long.</summary>
    public LeadTime LeadFor(IEnumerable<Client> clients)
    {
        var (slowest, cache) = SlowestOf(clients);
        var needed = DocumentMaxAge + cache + Margin;
        if (needed <= Lead)
        {
            return new(Lead, $"a key is announced {Spans.Text(Lead)} before it signs");
        }

        var holder = cache > StockClientCache ? $"the client {slowest!.Id} may keep a key set for {Spans.Text(cache)}"
            : $"stock .NET clients keep a key set for {Spans.Text(cache)}";
        return new(
            needed,
            $"{holder}; with the {Spans.Text(DocumentMaxAge)} it may be cached on its way and a margin of {Spans.Text(Margin)}, "
            + $"a key must be announced {Spans.Text(needed)} before it signs");
    }

    /// <summary>How long somebody who checks signatures with a key set they keep may go on with one that is out of date.</summary>
    public TimeSpan KeptFor(IEnumerable<Client> clients) => DocumentMaxAge + SlowestOf(clients).Cache;

    private static (Client? Slowest, TimeSpan Cache) SlowestOf(IEnumerable<Client> clients)
    {
        var slowest = clients.Where(client => client.DisabledAt is null).MaxBy(client => client.KeyCacheLifetime ?? TimeSpan.Zero);
        return (slowest, slowest?.KeyCacheLifetime is { } declared && declared > StockClientCache ? declared : StockClientCache);
    }
}

/// <summary>How long a new key must be announced before it may sign.</summary>
/// <param name="Needed">The time.</param>
/// <param name="Reason">A clause that says what makes it so long.</param>
public sealed record LeadTime(TimeSpan Needed, string Reason);
