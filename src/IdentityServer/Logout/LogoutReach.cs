using IdentityServer.Protocol.Clients;

namespace IdentityServer.Logout;

/// <summary>Where logout tokens may go: https, and in Development also apps on this machine.</summary>
/// <param name="LoopbackInTheClear">http to this machine is allowed.</param>
internal sealed record LogoutReach(bool LoopbackInTheClear)
{
    /// <summary>Looked at again before each call: what was registered in Development is not called in Production.</summary>
    public bool Covers(string uri) => RedirectUriRules.BackChannelFault(uri, LoopbackInTheClear) is null;
}
