namespace IdentityServer.Protocol.Keys;

/// <summary>What depends on a key: the tokens it signed that are not over yet.</summary>
/// <param name="Kid">The key.</param>
/// <param name="ByClient">How many tokens of each client, most first.</param>
/// <param name="LastEnd">When the last of them is over; until then an API that does not ask accepts it. <see langword="null"/>: there is none.</param>
public sealed record BlastRadius(string Kid, IReadOnlyList<(string ClientId, long Tokens)> ByClient, DateTimeOffset? LastEnd)
{
    public long Tokens => ByClient.Sum(entry => entry.Tokens);

    /// <summary>Of the uses that are alive; counted to ten minutes and to the last few seconds.</summary>
    public static BlastRadius Of(string kid, IEnumerable<KeyUse> alive)
    {
        var uses = alive.Where(use => use.Kid == kid).ToArray();
        return new BlastRadius(
            kid,
            [
                .. uses.GroupBy(use => use.ClientId, StringComparer.Ordinal)
                    .Select(group => (ClientId: group.Key, Tokens: group.Sum(use => use.Count)))
                    .OrderByDescending(entry => entry.Tokens)
                    .ThenBy(entry => entry.ClientId, StringComparer.Ordinal),
            ],
            uses.Length == 0 ? null : uses.Max(use => use.Until));
    }
}
