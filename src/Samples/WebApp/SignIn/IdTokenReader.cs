using System.Buffers.Text;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace WebApp.SignIn;

/// <summary>Says whether an ID token proves the sign-in that this app asked for (OpenID Connect Core §3.1.3.7). Copy it whole.</summary>
public sealed class IdTokenReader(AppSettings settings, ConfigurationManager<OpenIdConnectConfiguration> metadata)
{
    private static readonly JsonWebTokenHandler Handler = new() { MapInboundClaims = false };

    /// <summary>The token's claims; throws when anything about it is wrong.</summary>
    /// <param name="idToken">As the token endpoint sent it.</param>
    /// <param name="accessToken">The access token that came with it.</param>
    /// <param name="nonce">What the authorization request carried; <see langword="null"/> for an ID token that a refresh brought.</param>
    /// <param name="ct">Stops waiting for the server's keys.</param>
    public async Task<IReadOnlyList<Claim>> ReadAsync(string? idToken, string accessToken, string? nonce, CancellationToken ct)
    {
        if (idToken is null)
        {
            throw new AuthenticationFailureException("The server sent no ID token.");
        }

        // A document at our server's address that names another issuer is not our server's (OpenID Connect Discovery §4.3).
        var known = await metadata.GetConfigurationAsync(ct);
        if (known.Issuer != settings.Authority)
        {
            throw new AuthenticationFailureException("The metadata names another issuer.");
        }

        var result = await Handler.ValidateTokenAsync(
            idToken,
            new TokenValidationParameters
            {
                // Signature: by a key the server publishes, with the algorithm this app is registered for, never the token's choice.
                ConfigurationManager = metadata,
                ValidAlgorithms = [SecurityAlgorithms.RsaSha256],
                ValidTypes = ["JWT"],

                // Made by our server, for this app, and still good.
                ValidIssuer = settings.Authority,
                ValidAudience = settings.ClientId,
                ClockSkew = TimeSpan.FromSeconds(5),
            });
        if (!result.IsValid)
        {
            throw new AuthenticationFailureException("The ID token is not valid.", result.Exception);
        }

        var token = (JsonWebToken)result.SecurityToken;

        // For this app alone: a second audience could be an app that passes the token on.
        if (token.Audiences.Count() != 1)
        {
            throw new AuthenticationFailureException("The ID token is for others too.");
        }

        // Made for this very request: a token stolen from another sign-in has another nonce.
        if (nonce is not null && !Same(Claim(token, "nonce"), nonce))
        {
            throw new AuthenticationFailureException("The ID token answers another request.");
        }

        // And the access token beside it is the one it was made with (§3.1.3.6): the left half of its SHA-256.
        var hash = SHA256.HashData(Encoding.ASCII.GetBytes(accessToken));
        if (!Same(Claim(token, "at_hash"), Base64Url.EncodeToString(hash.AsSpan(0, hash.Length / 2))))
        {
            throw new AuthenticationFailureException("The ID token belongs to another access token.");
        }

        return [.. token.Claims];
    }

    private static string? Claim(JsonWebToken token, string name) => token.TryGetPayloadValue<string>(name, out var value) ? value : null;

    private static bool Same(string? left, string right) =>
        left is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(left), Encoding.UTF8.GetBytes(right));
}
