namespace IdentityServer.Admin;

/// <summary>What the frame around a page of the console must know about it.</summary>
/// <param name="Title">The page's title; the brand's name is added.</param>
/// <param name="Visit">Who is signed in, and what they may see.</param>
/// <param name="Current">The entry of the navigation that it belongs to.</param>
internal sealed record ConsoleHead(string Title, Visit Visit, string Current)
{
    /// <summary>Something the person did has to be put right: the title says so first.</summary>
    public bool HasErrors { get; init; }
}
