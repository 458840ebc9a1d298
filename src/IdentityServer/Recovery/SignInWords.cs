namespace IdentityServer.Recovery;

/// <summary>What the sign-in page says after a mailed link did its deed.</summary>
internal static class SignInWords
{
    /// <summary>Where the page finds it, once.</summary>
    public const string Done = "recovery.done";

    public const string PasswordChanged = "password";
    public const string Unlocked = "unlocked";
    public const string EmailVerified = "email";

    /// <summary>The browser as it calls itself; mails show it as text.</summary>
    public static string? DeviceOf(HttpRequest request) =>
        request.Headers.UserAgent.ToString() is { Length: > 0 } agent ? agent : null;
}
