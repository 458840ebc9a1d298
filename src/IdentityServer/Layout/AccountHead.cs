namespace IdentityServer.Layout;

/// <summary>What the frame around an account page must know about it.</summary>
/// <param name="Title">The page's title; the brand's name is added.</param>
/// <param name="Current">The entry of the navigation that it belongs to.</param>
public sealed record AccountHead(string Title, string Current)
{
    /// <summary>Something the person did has to be put right: the title says so first.</summary>
    public bool HasErrors { get; init; }
}
