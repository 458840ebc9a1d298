namespace IdentityServer.Layout;

/// <summary>What the frame around an account page must know about it.</summary>
/// <param name="Title">The page's title; the brand's name is added.</param>
/// <param name="Current">The part of the account that it belongs to.</param>
public sealed record AccountHead(string Title, string Current)
{
    public const string Profile = "profile";
    public const string SignIn = "sign-in";
    public const string Sessions = "sessions";
    public const string Apps = "apps";
    public const string Data = "data";

    /// <summary>Something the person did has to be put right: the title says so first.</summary>
    public bool HasErrors { get; init; }

    /// <summary>Off where the same address in another language would say something else.</summary>
    public bool OffersLanguages { get; init; } = true;
}
