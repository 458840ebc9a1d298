using IdentityServer.Protocol.Clients;

namespace IdentityServer.Layout;

/// <summary>What the frame around a hosted page must know about it.</summary>
/// <param name="Title">The page's title; the brand's name is added.</param>
public sealed record PageHead(string Title)
{
    /// <summary>How far along the person is: <c>1</c>, <c>2</c>, <c>3</c> or <c>end</c>. Moves the pointer on the scale.</summary>
    public string Step { get; init; } = "1";

    /// <summary>The app that asks, if one does.</summary>
    public Client? App { get; init; }

    /// <summary>The panel needs room for more than a form.</summary>
    public bool IsWide { get; init; }

    /// <summary>Something the person did has to be put right: the title says so first.</summary>
    public bool HasErrors { get; init; }

    /// <summary>Off where the same address in another language would say something else.</summary>
    public bool OffersLanguages { get; init; } = true;
}
