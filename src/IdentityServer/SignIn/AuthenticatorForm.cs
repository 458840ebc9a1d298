namespace IdentityServer.SignIn;

/// <summary>What the form shows that enrols an authenticator app.</summary>
/// <param name="Offer">The secret.</param>
/// <param name="Name">What the person calls the app.</param>
/// <param name="IsRefused">The code typed was not one of the secret.</param>
public sealed record AuthenticatorForm(AuthenticatorOffer Offer, string Name, bool IsRefused)
{
    /// <summary>Longest name, in characters; longer ones are cut.</summary>
    public const int LongestName = 60;

    /// <summary>What was typed as a name, or the given one when that was nothing.</summary>
    public static string NameOf(string? typed, string otherwise) =>
        typed?.Trim() is { Length: > 0 } name && !name.Any(char.IsControl) ? name[..Math.Min(name.Length, LongestName)] : otherwise;
}
