using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;

namespace IdentityServer.Protocol.Issuance;

/// <summary>What a grant concluded: who may be issued what. Whoever holds one has nothing left to check.</summary>
public sealed record Entitlement
{
    public required Client Client { get; init; }

    /// <summary>The person, or the client's own id when it acts for itself.</summary>
    public required string Subject { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>The <c>jti</c> of the access token to issue.</summary>
    public string TokenId { get; } = Handle.NewId();

    /// <summary>The grant; <see langword="null"/> for a client acting for itself.</summary>
    public Grant? Grant { get; init; }

    /// <summary>The reference access token; <see langword="null"/> for a client with JWT access tokens.</summary>
    public Handle? AccessHandle { get; init; }

    /// <summary>The refresh token to hand out, already stored.</summary>
    public string? RefreshToken { get; init; }

    /// <summary>Echoed in the ID token, at the first issue only (OpenID Connect Core §12.2).</summary>
    public string? Nonce { get; init; }

    public DateTimeOffset ExpiresAt => IssuedAt + Client.AccessTokenLifetime;

    /// <summary>Deliberately blank: it holds tokens.</summary>
    public override string ToString() => "[entitlement]";
}
