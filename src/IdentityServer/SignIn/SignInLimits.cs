using System.Net;
using IdentityServer.Protocol;
using IdentityServer.Storage.Devices;
using IdentityServer.Throttling;

namespace IdentityServer.SignIn;

/// <summary>
/// What is counted when somebody tries to sign in (docs/sign-in.md has the table). Strangers share the counts of an account; a device the
/// person signed in with before has counts of its own, so that nobody can lock them out.
/// </summary>
internal static class SignInLimits
{
    // NIST SP 800-63B-4 §3.2.2.
    private const int Most = 100;

    private static readonly ThrottleRule FromOneNetwork =
        new(Free: 5, TimeSpan.FromSeconds(30), TimeSpan.FromHours(1), ForgetAfter: TimeSpan.FromDays(1), Most: null);

    private static readonly ThrottleRule ByStrangers =
        new(Free: 20, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), ForgetAfter: null, Most);

    private static readonly ThrottleRule OfANetwork =
        new(Free: 100, TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), ForgetAfter: TimeSpan.FromHours(1), Most: null);

    private static readonly ThrottleRule OnAKnownDevice =
        new(Free: 10, TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(15), ForgetAfter: null, Most);

    /// <summary>For a password of somebody whose browser is not known.</summary>
    /// <param name="account">A subject, or a hash of what was typed when nobody has that name: both are counted alike.</param>
    /// <param name="address">Where the request came from.</param>
    public static IReadOnlyList<Counter> PasswordOfStranger(string account, IPAddress? address)
    {
        var network = Networks.Of(address);
        return
        [
            new($"pwd:network:{network}", OfANetwork, IsEndedBySuccess: false),
            new($"pwd:account:{account}:{network}", FromOneNetwork),
            new(PasswordOfAccount(account), ByStrangers),
        ];
    }

    /// <summary>For a password on a browser in which the person once signed in.</summary>
    public static IReadOnlyList<Counter> PasswordOnDevice(string deviceId) => [new($"pwd:device:{deviceId}", OnAKnownDevice)];

    /// <summary>The count of all strangers together for an account.</summary>
    public static string PasswordOfAccount(string account) => $"pwd:account:{account}";

    /// <summary>For a passkey alone: it cannot be guessed, so only floods are counted.</summary>
    public static IReadOnlyList<Counter> PasskeyOfAnybody(IPAddress? address) =>
        [new($"passkey:network:{Networks.Of(address)}", OfANetwork, IsEndedBySuccess: false)];

    /// <summary>For a second factor. Whoever gets here has shown the password.</summary>
    /// <param name="factor"><c>otp</c>, <c>recovery</c> or <c>passkey</c>.</param>
    /// <param name="subject">Whose.</param>
    /// <param name="deviceId">The device, when it is known.</param>
    public static IReadOnlyList<Counter> Factor(string factor, string subject, string? deviceId) =>
    [
        deviceId is null
            ? new(FactorOfAccount(factor, subject), new(Free: 5, TimeSpan.FromSeconds(30), TimeSpan.FromHours(1), ForgetAfter: null, Most))
            : new($"{factor}:device:{deviceId}", OnAKnownDevice),
    ];

    /// <summary>The count of a factor on browsers that are not known.</summary>
    public static string FactorOfAccount(string factor, string subject) => $"{factor}:account:{subject}";

    /// <summary>Words for second factors, each with a count of its own.</summary>
    public static IReadOnlyList<string> Factors { get; } = ["otp", "recovery", "passkey"];

    /// <summary>How the keys begin of what is counted against a person's password.</summary>
    public static IEnumerable<string> PasswordCountsOf(string subject, IEnumerable<Device> devices) =>
        [PasswordOfAccount(subject), .. devices.Select(device => $"pwd:device:{device.Id}")];

    /// <summary>The same for second factors.</summary>
    public static IEnumerable<string> FactorCountsOf(string subject, IEnumerable<Device> devices) =>
        Factors.SelectMany(factor => devices.Select(device => $"{factor}:device:{device.Id}").Prepend(FactorOfAccount(factor, subject)));

    /// <summary>Stands for a name nobody has.</summary>
    public static string Nobody(string typed) => Handle.HashOf(typed.Trim().ToUpperInvariant());
}
