using System.Text.Json;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.Protocol.Issuance;

/// <summary>Signs what a client is told when a session ends (OpenID Connect Back-Channel Logout 1.0 §2.4).</summary>
public sealed class LogoutTokens(SigningKeyRing keys, KeyUseLedger uses, ProtocolOptions options)
{
    /// <summary>From signing to expiry: at most two minutes, as the specification recommends.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(2);

    private static readonly JsonWebTokenHandler Jwt = new() { SetDefaultTimesOnTokenCreation = false };

    private static readonly JsonElement Events =
        JsonDocument.Parse("""{"http://schemas.openid.net/event/backchannel-logout":{}}""").RootElement.Clone();

    /// <summary>The token: never with a <c>nonce</c>, so that it cannot pass for an ID token.</summary>
    /// <param name="client">Who is told; its ID tokens name the algorithm.</param>
    /// <param name="id">The <c>jti</c>: the same at each attempt.</param>
    /// <param name="subject">Who was signed out.</param>
    /// <param name="sessionId">The session that ended, as the ID tokens named it.</param>
    /// <param name="now">When this attempt is made.</param>
    public string Sign(Client client, string id, string subject, string sessionId, DateTimeOffset now)
    {
        var expiresAt = now + Lifetime;
        var credentials = keys.Current.Signing[client.IdTokenSigningAlgorithm];
        uses.Count(credentials.Key.KeyId, client.Id, expiresAt);
        return Jwt.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "logout+jwt",
            SigningCredentials = credentials,
            Claims = new Dictionary<string, object>(8, StringComparer.Ordinal)
            {
                ["iss"] = options.Issuer,
                ["aud"] = client.Id,
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = expiresAt.ToUnixTimeSeconds(),
                ["jti"] = id,
                ["sub"] = subject,
                ["sid"] = sessionId,
                ["events"] = Events,
            },
        });
    }
}
