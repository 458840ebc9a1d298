using IdentityServer.Protocol.Clients;

namespace IdentityServer.Protocol.Authorize;

/// <summary>Redirect URIs match character by character; only a native app's loopback port may vary (RFC 9700 §4.1.3, RFC 8252 §7.3).</summary>
public static class RedirectUris
{
    public static bool IsRegistered(Client client, string uri) =>
        client.RedirectUris.Contains(uri, StringComparer.Ordinal)
        || (client.Type == ClientType.Native && client.RedirectUris.Any(registered => IsSameLoopback(registered, uri)));

    private static bool IsSameLoopback(string registered, string uri) =>
        SplitLoopback(registered) is { } one && SplitLoopback(uri) is { } other && one == other;

    // Text, not System.Uri: a parser normalises, and what is not the same text must not match.
    private static (string Host, string Tail)? SplitLoopback(string uri)
    {
        foreach (var host in (ReadOnlySpan<string>)["http://127.0.0.1", "http://[::1]"])
        {
            if (!uri.StartsWith(host, StringComparison.Ordinal))
            {
                continue;
            }

            var rest = uri.AsSpan(host.Length);
            if (rest is [':', ..])
            {
                var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
                digits = digits < 0 ? rest.Length - 1 : digits;
                if (digits is 0 or > 5)
                {
                    return null;
                }

                rest = rest[(digits + 1)..];
            }

            return rest is [] or ['/', ..] or ['?', ..] ? (host, rest.ToString()) : null;
        }

        return null;
    }
}
