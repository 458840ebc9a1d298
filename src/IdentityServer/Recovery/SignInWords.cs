using IdentityServer.Layout;

namespace IdentityServer.Recovery;

/// <summary>What the sign-in page says after a mailed link did its deed.</summary>
internal static class SignInWords
{
    /// <summary>Where the page finds it, once.</summary>
    public const string Done = "recovery.done";

    public const string PasswordChanged = "password";
    public const string Unlocked = "unlocked";
    public const string EmailVerified = "email";

    /// <summary>The browser and what it runs on, as far as it says.</summary>
    public static string? DeviceOf(HttpRequest request) => DeviceOf(request.Headers.UserAgent.ToString());

    /// <summary>The same for a browser that was seen before.</summary>
    public static string? DeviceOf(string? userAgent)
    {
        var name = BrowserName.Of(userAgent);
        return name is { Browser: null, System: null } ? null : string.Join(", ", new[] { name.Browser, name.System }.OfType<string>());
    }
}
