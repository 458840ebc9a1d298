using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace IdentityServer.ResourceServer;

/// <summary>
/// Confirms that who presents a token holds what it is bound to (RFC 7800): a DPoP key (RFC 9449), a client certificate (RFC 8705).
/// A token with a <c>cnf</c> claim is refused unless each member of it is confirmed by a registered binding.
/// </summary>
public interface ITokenBinding
{
    /// <summary>The member of <c>cnf</c> it can confirm, e.g. <c>jkt</c> or <c>x5t#S256</c>.</summary>
    string Confirmation { get; }

    /// <summary>The scheme of the Authorization header that such tokens come with: <c>DPoP</c> or <c>Bearer</c>.</summary>
    string AuthorizationScheme { get; }

    /// <summary>True when the request proves it.</summary>
    /// <param name="http">The request.</param>
    /// <param name="token">The access token as it was sent.</param>
    /// <param name="expected">The value of the member.</param>
    /// <param name="ct">Stops waiting.</param>
    ValueTask<bool> IsConfirmedAsync(HttpContext http, string token, JsonElement expected, CancellationToken ct);
}
