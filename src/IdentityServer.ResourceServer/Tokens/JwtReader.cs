using System.Security.Claims;
using System.Text.Json;
using IdentityServer.ResourceServer.Keys;
using IdentityServer.ResourceServer.Server;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.ResourceServer.Tokens;

/// <summary>Validates JWT access tokens (RFC 9068 §4). Whether one has ended is for others to say.</summary>
internal sealed class JwtReader(SigningKeys keys, IdentityServerTokensOptions options, TimeProvider clock)
{
    private const int MaxLength = 16 * 1024;

    private static readonly string[] Types = ["at+jwt", "application/at+jwt"];
    private static readonly JsonWebTokenHandler Jwt = new() { MaximumTokenSizeInBytes = MaxLength, MapInboundClaims = false };
    private static readonly TokenOutcome Malformed = new TokenOutcome.Refused("The token is malformed.");

    public async ValueTask<TokenOutcome> ReadAsync(string text, CancellationToken ct)
    {
        if (text.Length > MaxLength || Parse(text) is not { } token)
        {
            return Malformed;
        }

        // 1 what costs nothing: a token of somebody else's never makes us ask the server for keys
        if (RefuseUnverified(token) is { } reason)
        {
            return new TokenOutcome.Refused(reason);
        }

        // 2 the key
        SecurityKey? key;
        try
        {
            key = await keys.FindAsync(token.Kid, ct);
        }
        catch (ServerUnavailableException)
        {
            return new TokenOutcome.Unknown("The issuer's keys cannot be fetched.");
        }

        if (key is null)
        {
            return new TokenOutcome.Refused("The token was signed by no key of the issuer.");
        }

        // 3 the signature, and everything again
        var result = await Jwt.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            TryAllIssuerSigningKeys = false,
            ValidIssuer = options.Issuer,
            ValidAudience = options.Audience,
            ValidTypes = Types,
            ValidAlgorithms = [key is JsonWebKey { Alg: { Length: > 0 } algorithm } ? algorithm : token.Alg],
            NameClaimType = "sub",
            RoleClaimType = "role",
            AuthenticationType = IdentityServerTokens.Scheme,

            // By our clock, not the machine's: done before.
            ValidateLifetime = false,
        });
        return result.IsValid ? new TokenOutcome.Good(Read(token, result.ClaimsIdentity)) : new TokenOutcome.Refused("The token's signature is not valid.");
    }

    private string? RefuseUnverified(JsonWebToken token)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        return token switch
        {
            _ when !Types.Contains(token.Typ, StringComparer.OrdinalIgnoreCase) => "The token is no access token.",
            _ when !options.Algorithms.Contains(token.Alg, StringComparer.Ordinal) => "The token is signed with an algorithm that is not accepted.",
            { Kid: not { Length: > 0 and <= 200 } } => "The token names no key.",
            _ when token.Issuer != options.Issuer => "The token is of another issuer.",
            _ when !token.Audiences.Contains(options.Audience, StringComparer.Ordinal) => "The token is meant for another API.",
            _ when IsMissing(token, "exp") || IsMissing(token, "iat") || IsMissing(token, "sub") || IsMissing(token, "jti") || IsMissing(token, "client_id")
                => "The token lacks a claim that every access token has.",
            _ when now - options.ClockSkew >= token.ValidTo => "The token has expired.",
            _ when now + options.ClockSkew < token.ValidFrom => "The token is not valid yet.",
            _ => null,
        };
    }

    private static bool IsMissing(JsonWebToken token, string claim) => !token.TryGetPayloadValue<object>(claim, out var value) || value is null or "";

    private static JsonWebToken? Parse(string text)
    {
        try
        {
            return new JsonWebToken(text);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static AccessToken Read(JsonWebToken token, ClaimsIdentity identity) => new()
    {
        Id = token.Id,
        Subject = token.Subject,
        ClientId = Text(token, "client_id")!,
        ExpiresAt = new DateTimeOffset(token.ValidTo, TimeSpan.Zero),
        GrantId = Text(token, "gid"),
        SessionId = Text(token, "sid"),
        Epoch = token.TryGetPayloadValue<long>("epoch", out var epoch) ? epoch : 0,
        KeyId = token.Kid,
        Confirmation = token.TryGetPayloadValue<JsonElement>("cnf", out var bound) ? bound : null,
        Identity = identity,
    };

    private static string? Text(JsonWebToken token, string claim) => token.TryGetPayloadValue<string>(claim, out var value) ? value : null;
}
