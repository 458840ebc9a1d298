using IdentityServer.Protocol.Grants;

namespace IdentityServer.Protocol.Revocations;

/// <summary>Told once when a grant ended because a spent code or refresh token of it was presented again (RFC 9700 §4.14.2).</summary>
public interface IReuseWatch
{
    /// <param name="grant">The grant, which has ended.</param>
    /// <param name="address">Where the request came from.</param>
    /// <param name="ct">Stops waiting.</param>
    ValueTask NoticeAsync(Grant grant, string? address, CancellationToken ct);
}
