namespace IdentityServer.Protocol.Clients;

/// <summary>
/// Which addresses a client may register: exact https addresses; plain http only on the person's own machine; private-use
/// schemes only for native apps (RFC 8252 §7, RFC 9700 §2.1 and §4.1.3).
/// </summary>
public static class RedirectUriRules
{
    public const int MaxLength = 2_000;

    private static readonly string[] LoopbackHosts = ["127.0.0.1", "[::1]", "localhost"];

    /// <summary><see langword="null"/> when the address may be registered; otherwise the rest of a sentence that starts with the address.</summary>
    public static string? Fault(string uri, ClientType type) => Common(uri) ?? SchemeOf(uri) switch
    {
        null => "is not absolute: it must begin with a scheme, such as https://.",
        "https" => Web(uri, loopbackOnly: false),
        "http" => Web(uri, loopbackOnly: true),
        var scheme => PrivateUse(scheme, uri, type),
    };

    /// <summary>As <see cref="Fault"/>, for an origin (RFC 6454 §6.2): exactly what a browser sends, e.g. <c>https://app.example.com</c>.</summary>
    public static string? OriginFault(string origin)
    {
        var fault = Common(origin) ?? SchemeOf(origin) switch
        {
            "https" => Web(origin, loopbackOnly: false),
            "http" => Web(origin, loopbackOnly: true),
            _ => "is not an origin: write scheme, host and, if unusual, port, such as https://app.example.com.",
        };
        if (fault is not null)
        {
            return fault;
        }

        var canonical = new Uri(origin).GetLeftPart(UriPartial.Authority);
        return origin == canonical ? null : $"is not written as browsers send it: {canonical}.";
    }

    /// <summary>As <see cref="Fault"/>, for what this server itself calls (OpenID Connect Back-Channel Logout 1.0 §2.2).</summary>
    /// <param name="uri">The address.</param>
    /// <param name="isForDevelopment">http to the server's own machine is allowed.</param>
    public static string? BackChannelFault(string uri, bool isForDevelopment) => Common(uri) ?? SchemeOf(uri) switch
    {
        null => "is not absolute: it must begin with https://.",
        "https" => Web(uri, loopbackOnly: false),
        "http" when isForDevelopment => Web(uri, loopbackOnly: true),
        _ => "is not https: the server calls it, and proves itself by nothing else on the way.",
    };

    /// <summary>As <see cref="Fault"/>, for what the sign-out page loads: at home where the app is (OpenID Connect Front-Channel Logout 1.0 §2).</summary>
    public static string? FrontChannelFault(string uri, IReadOnlyList<string> redirectUris)
    {
        var fault = Common(uri) ?? SchemeOf(uri) switch
        {
            "https" => Web(uri, loopbackOnly: false),
            "http" => Web(uri, loopbackOnly: true),
            _ => "is not an address that a page can load: use https.",
        };
        if (fault is not null)
        {
            return fault;
        }

        var origin = OriginOf(uri);
        return redirectUris.Any(known => OriginOf(known) == origin)
            ? null
            : "does not have the scheme, host and port of one of the redirect URIs.";
    }

    /// <summary>Scheme, host and port of an address of the web; <see langword="null"/> for others.</summary>
    public static string? OriginOf(string uri) =>
        Uri.TryCreate(uri, UriKind.Absolute, out var parsed) && (parsed.Scheme == Uri.UriSchemeHttps || parsed.Scheme == Uri.UriSchemeHttp)
            ? parsed.GetLeftPart(UriPartial.Authority)
            : null;

    /// <summary>True when plain http to this host stays on the person's own machine (RFC 8252 §7.3).</summary>
    public static bool IsLoopback(string host) => LoopbackHosts.Contains(host, StringComparer.OrdinalIgnoreCase);

    private static string? Common(string uri)
    {
        if (uri.Length > MaxLength)
        {
            return $"is longer than {MaxLength} characters.";
        }

        if (uri.Any(character => character is <= ' ' or > '~' or '\\' or '"' or '<' or '>'))
        {
            return "has a space, a control character or a character that addresses do not use; percent-encode it.";
        }

        if (uri.Contains('#', StringComparison.Ordinal))
        {
            return "has a fragment (#…): the answer is carried elsewhere, so leave it out.";
        }

        return uri.Contains('*', StringComparison.Ordinal)
            ? "has a wildcard (*): register each address exactly."
            : null;
    }

    // By hand: Uri takes a rooted path for an absolute address.
    private static string? SchemeOf(string uri)
    {
        var colon = uri.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon > 0 ? uri[..colon] : "";
        return scheme.Length > 0 && char.IsAsciiLetter(scheme[0])
            && scheme.All(character => char.IsAsciiLetterOrDigit(character) || character is '+' or '-' or '.')
                ? scheme.ToLowerInvariant()
                : null;
    }

    private static string? Web(string uri, bool loopbackOnly)
    {
        // The host is read from the text: Uri would take 0x7f.1 for 127.0.0.1.
        var rest = uri[(uri.IndexOf(':', StringComparison.Ordinal) + 1)..];
        if (!rest.StartsWith("//", StringComparison.Ordinal))
        {
            return "names no host.";
        }

        var end = rest.AsSpan(2).IndexOfAny('/', '?');
        var authority = end < 0 ? rest[2..] : rest[2..(2 + end)];
        if (authority.Contains('@', StringComparison.Ordinal))
        {
            return "has a user name before the host (…@): leave it out.";
        }

        var host = HostOf(authority);
        if (host.Length == 0)
        {
            return "names no host.";
        }

        if (loopbackOnly && !IsLoopback(host))
        {
            return "uses http, which is only for the person's own machine (127.0.0.1, [::1], localhost); use https.";
        }

        return Uri.TryCreate(uri, UriKind.Absolute, out _) ? null : "cannot be read as an address.";
    }

    private static string HostOf(string authority)
    {
        var port = authority.LastIndexOf(':');
        return port > authority.LastIndexOf(']') ? authority[..port] : authority;
    }

    private static string? PrivateUse(string scheme, string uri, ClientType type)
    {
        if (type != ClientType.Native)
        {
            return $"uses the scheme {scheme}: only native apps may use a scheme of their own; use https.";
        }

        if (!scheme.Contains('.', StringComparison.Ordinal))
        {
            return $"uses the scheme {scheme}: a native app's own scheme is a domain name reversed, such as com.example.app (RFC 8252 §7.1).";
        }

        return uri.Length > scheme.Length + 1 && Uri.TryCreate(uri, UriKind.Absolute, out var parsed) && parsed.UserInfo.Length == 0
            ? null
            : "cannot be read as an address.";
    }
}
