using Microsoft.AspNetCore.Mvc.ViewFeatures;

namespace IdentityServer.SignIn;

/// <summary>
/// What the sign-in form comes back with after a redirect: everything typed but the password. Travels in an encrypted
/// cookie, so that a user name is in no address and no log.
/// </summary>
public sealed record LoginDraft(string? UserName, bool IsKept, bool IsRefused)
{
    private const int LongestName = 256;

    /// <summary>It was no password that was refused.</summary>
    public bool IsPasskeyRefused { get; init; }

    public void Save(ITempDataDictionary data)
    {
        data["login.name"] = UserName?.Length <= LongestName ? UserName : null;
        data["login.kept"] = IsKept;
        data["login.refused"] = IsRefused;
        data["login.passkey"] = IsPasskeyRefused;
    }

    /// <summary>The draft, once.</summary>
    public static LoginDraft? Take(ITempDataDictionary data) => data["login.refused"] is bool isRefused
        ? new LoginDraft(data["login.name"] as string, data["login.kept"] is true, isRefused) { IsPasskeyRefused = data["login.passkey"] is true }
        : null;
}
