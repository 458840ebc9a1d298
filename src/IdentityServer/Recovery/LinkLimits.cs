using System.Net;
using IdentityServer.SignIn;
using IdentityServer.Throttling;

namespace IdentityServer.Recovery;

/// <summary>How many mails can be asked for: three an hour for one address, some more from one network.</summary>
internal static class LinkLimits
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly ThrottleRule PerAddress = new(Free: 3, Hour, Hour, ForgetAfter: Hour, Most: null);
    private static readonly ThrottleRule PerNetwork = new(Free: 30, TimeSpan.FromMinutes(1), Hour, ForgetAfter: Hour, Most: null);

    /// <summary>Before it is known whose it is; what was typed stands there as a hash.</summary>
    public static IReadOnlyList<Counter> Asked(LinkPurpose purpose, string typed, IPAddress? address) =>
    [
        new($"mail:network:{Networks.Of(address)}", PerNetwork),
        new($"mail:{purpose}:{SignInLimits.Nobody(typed)}", PerAddress),
    ];

    /// <summary>One person may have two names to type.</summary>
    public static IReadOnlyList<Counter> Sent(string kind, string account) => [new($"mail:{kind}:{account}", PerAddress)];
}
