using System.Globalization;

namespace IdentityServer.Testing;

/// <summary>One cookie as the server set it.</summary>
/// <param name="Name">The cookie's name.</param>
/// <param name="Value">The cookie's value.</param>
/// <param name="Path">The path it is sent to.</param>
/// <param name="SameSite"><c>Lax</c>, <c>Strict</c> or <c>None</c>.</param>
/// <param name="Header">The whole <c>Set-Cookie</c> line.</param>
public sealed record Cookie(string Name, string Value, string Path, string SameSite, string Header)
{
    /// <summary>Sent along when a form of another site posts here.</summary>
    public bool TravelsAcrossSites => SameSite.Equals("None", StringComparison.OrdinalIgnoreCase);

    public bool Has(string attribute) =>
        Header.Split(';', StringSplitOptions.TrimEntries)
            .Skip(1)
            .Any(part => part.Equals(attribute, StringComparison.OrdinalIgnoreCase));
}

/// <summary>
/// The cookies of one server (RFC 6265): honours Path, Max-Age, Expires and SameSite. Secure is not honoured, because
/// tests speak plain HTTP to a loopback address.
/// </summary>
public sealed class CookieJar
{
    private readonly Dictionary<(string Name, string Path), Cookie> _cookies = [];

    public IReadOnlyCollection<Cookie> All => _cookies.Values;

    /// <summary>The value of a cookie; <see langword="null"/> when there is none of that name.</summary>
    public string? Value(string name) => _cookies.Values.FirstOrDefault(cookie => cookie.Name == name)?.Value;

    public void Remove(string name)
    {
        foreach (var key in _cookies.Keys.Where(key => key.Name == name).ToArray())
        {
            _cookies.Remove(key);
        }
    }

    public void Clear() => _cookies.Clear();

    public void Add(Cookie cookie) => _cookies[(cookie.Name, cookie.Path)] = cookie;

    public void Store(Uri address, HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Set-Cookie", out var lines))
        {
            return;
        }

        foreach (var line in lines)
        {
            Store(address, line);
        }
    }

    /// <summary>The <c>Cookie</c> header for a request, or <see langword="null"/> when none applies.</summary>
    /// <param name="address">Where the request goes.</param>
    /// <param name="crossSitePost">A form of another site posts it: then only cookies with SameSite=None travel along.</param>
    public string? Header(Uri address, bool crossSitePost)
    {
        var sent = _cookies.Values
            .Where(cookie => Covers(cookie.Path, address.AbsolutePath))
            .Where(cookie => !crossSitePost || cookie.TravelsAcrossSites)
            .Select(cookie => $"{cookie.Name}={cookie.Value}");
        var header = string.Join("; ", sent);
        return header.Length == 0 ? null : header;
    }

    private void Store(Uri address, string line)
    {
        var parts = line.Split(';', StringSplitOptions.TrimEntries);
        var (name, value) = SplitOnce(parts[0]);
        var attributes = parts.Skip(1)
            .Select(SplitOnce)
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.OrdinalIgnoreCase);

        var path = attributes.GetValueOrDefault("path") is { } given && given.StartsWith('/') ? given : "/";
        if (IsExpired(attributes))
        {
            _cookies.Remove((name, path));
            return;
        }

        // RFC 6265 bis: a browser treats a missing SameSite as Lax.
        var sameSite = attributes.GetValueOrDefault("samesite", "Lax");
        if (name.StartsWith("__Host-", StringComparison.Ordinal)
            && (path != "/" || attributes.ContainsKey("domain") || !attributes.ContainsKey("secure")))
        {
            throw new CheckFailedException($"A browser refuses the cookie {name} set at {address.AbsolutePath}.");
        }

        Add(new Cookie(name, value, path, sameSite, line));
    }

    private static bool IsExpired(Dictionary<string, string> attributes)
    {
        if (attributes.TryGetValue("max-age", out var age))
        {
            return long.Parse(age, CultureInfo.InvariantCulture) <= 0;
        }

        // The server's clock may be moved by a test, so only the customary "long ago" counts as expired.
        return attributes.TryGetValue("expires", out var expires)
            && DateTimeOffset.TryParse(expires, CultureInfo.InvariantCulture, out var at)
            && at.Year < 2000;
    }

    private static bool Covers(string cookiePath, string path) =>
        path == cookiePath
        || path.StartsWith(cookiePath.EndsWith('/') ? cookiePath : cookiePath + "/", StringComparison.Ordinal);

    private static KeyValuePair<string, string> SplitOnce(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        return at < 0 ? new(text, "") : new(text[..at], text[(at + 1)..]);
    }
}
