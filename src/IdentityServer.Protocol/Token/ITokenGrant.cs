using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Issuance;

namespace IdentityServer.Protocol.Token;

/// <summary>A token request whose client is proved.</summary>
public sealed record TokenRequest(Client Client, Parameters Parameters, string? Address);

/// <summary>Decides one grant type. It never signs and never writes HTTP.</summary>
public interface ITokenGrant
{
    /// <summary>The <c>grant_type</c> value.</summary>
    string GrantType { get; }

    ValueTask<Result<Entitlement>> AuthorizeAsync(TokenRequest request, CancellationToken ct);
}
