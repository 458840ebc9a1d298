namespace IdentityServer.Recovery;

/// <summary>What somebody asked for at a page that tells nobody whether there is an account.</summary>
public enum LinkPurpose
{
    /// <summary>A new password.</summary>
    Reset,

    /// <summary>To try again at once.</summary>
    Unlock,

    /// <summary>An account.</summary>
    Register,
}

/// <summary>A link that somebody asked for.</summary>
/// <param name="Purpose">What for.</param>
/// <param name="Typed">User name or address, as typed.</param>
/// <param name="BrowserHash">The browser in which it will work.</param>
/// <param name="Waiting">Handle of the request that waits for the person to come back; <see langword="null"/>: none.</param>
/// <param name="Language">The language of the page.</param>
/// <param name="Address">Network address of the request.</param>
internal sealed record LinkRequest(
    LinkPurpose Purpose, string Typed, string BrowserHash, string? Waiting, string Language, string? Address)
{
    /// <summary>Deliberately short: what people type is not for logs.</summary>
    public override string ToString() => $"{{ Purpose = {Purpose} }}";
}
