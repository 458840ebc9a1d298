using IdentityServer.Protocol.Clients;

namespace IdentityServer.Protocol.Keys;

/// <summary>Whether a client has a key, as far as its fetches tell.</summary>
public enum Readiness
{
    /// <summary>It fetched the key.</summary>
    HasIt,

    /// <summary>It fetches keys at its own address, but not since this one was announced.</summary>
    NotYet,

    /// <summary>It never asked at its own address.</summary>
    Unknown,
}

/// <summary>What is known of one client and one key.</summary>
/// <param name="Client">The client.</param>
/// <param name="State">Evidence, not proof: a client has more than one process, and may forget.</param>
/// <param name="FetchedAt">When it first fetched this key.</param>
/// <param name="LastFetchAt">When it last fetched any.</param>
/// <param name="UsualInterval">The mean time between its fetches, where there were several.</param>
public sealed record ClientReadiness(
    Client Client, Readiness State, DateTimeOffset? FetchedAt, DateTimeOffset? LastFetchAt, TimeSpan? UsualInterval)
{
    /// <summary>The client asked to be waited for, and has to be.</summary>
    public bool HoldsBack => Client.RequireReadiness && State != Readiness.HasIt;
}

/// <summary>Tells which clients have a key, from who fetched the JWKS at its own address (docs/adr/0013).</summary>
public sealed class KeyReadiness(IKeyFetchStore fetches, IClientStore clients)
{
    /// <summary>Every client that is in use, those that hold the rollover back first.</summary>
    public async ValueTask<IReadOnlyList<ClientReadiness>> OfAsync(string kid, CancellationToken ct)
    {
        var byClient = (await fetches.ListAsync(ct)).ToLookup(fetch => fetch.ClientId, StringComparer.Ordinal);
        return
        [
            .. (await clients.ListAsync(ct)).Where(client => client.DisabledAt is null)
                .Select(client => Of(client, kid, [.. byClient[client.Id]]))
                .OrderByDescending(entry => entry.HoldsBack)
                .ThenBy(entry => entry.State switch { Readiness.NotYet => 0, Readiness.Unknown => 1, _ => 2 })
                .ThenBy(entry => entry.Client.Id, StringComparer.Ordinal),
        ];
    }

    /// <summary>
    /// The clients a rollover to this key waits for. A client that asked to be waited for and is never seen at its own address is waited
    /// for too: it was to be told apart, and cannot be.
    /// </summary>
    public async ValueTask<IReadOnlyList<string>> WaitingForAsync(string kid, CancellationToken ct) =>
        [.. (await OfAsync(kid, ct)).Where(entry => entry.HoldsBack).Select(entry => entry.Client.Id)];

    private static ClientReadiness Of(Client client, string kid, KeyFetch[] known)
    {
        var ofKid = Array.Find(known, fetch => fetch.Kid == kid);
        var longest = known.MaxBy(fetch => fetch.Count);
        return new ClientReadiness(
            client,
            ofKid is not null ? Readiness.HasIt : known.Length > 0 ? Readiness.NotYet : Readiness.Unknown,
            ofKid?.FirstAt,
            known.Length > 0 ? known.Max(fetch => fetch.LastAt) : null,
            longest is { Count: > 1 } ? (longest.LastAt - longest.FirstAt) / (longest.Count - 1) : null);
    }
}
