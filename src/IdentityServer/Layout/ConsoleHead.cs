using IdentityServer.SignIn;

namespace IdentityServer.Layout;

/// <summary>What the frame around a page of the console must know about it.</summary>
/// <param name="Title">The page's title; the brand's name is added.</param>
/// <param name="Person">Who is signed in.</param>
/// <param name="Current">The entry of the navigation that it belongs to.</param>
public sealed record ConsoleHead(string Title, Person Person, string Current)
{
    /// <summary>Something the person did has to be put right: the title says so first.</summary>
    public bool HasErrors { get; init; }
}
