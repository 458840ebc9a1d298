using IdentityServer.Protocol.Keys;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.Protocol.Issuance;

/// <summary>An ID token of ours that an app sends back as a hint; it may have expired (OpenID Connect Core §3.1.2.1).</summary>
/// <param name="Subject">The <c>sub</c>.</param>
/// <param name="ClientId">The <c>aud</c>.</param>
/// <param name="SessionId">The <c>sid</c>.</param>
public sealed record IdTokenHint(string Subject, string ClientId, string? SessionId);

/// <summary>Verifies hints: our signature, our issuer, and not an access token.</summary>
public sealed class IdTokenHintReader(SigningKeyRing keys, ProtocolOptions options)
{
    private const int MaxLength = 16_384;

    private static readonly JsonWebTokenHandler Jwt = new() { MaximumTokenSizeInBytes = MaxLength };

    /// <summary>The hint, or <see langword="null"/> when it is not an ID token that we signed.</summary>
    public async ValueTask<IdTokenHint?> ReadAsync(string text)
    {
        JsonWebToken token;
        try
        {
            token = new JsonWebToken(text);
        }
        catch (ArgumentException)
        {
            return null;
        }

        if (token.Kid is not { Length: > 0 } kid
            || !keys.Current.Known.TryGetValue(kid, out var key)
            || ((JsonWebKey)key).Alg != token.Alg)
        {
            return null;
        }

        var result = await Jwt.ValidateTokenAsync(token, new TokenValidationParameters
        {
            IssuerSigningKey = key,
            ValidIssuer = options.Issuer,
            ValidTypes = ["JWT"],
            ValidAlgorithms = [token.Alg],
            ValidateAudience = false,
            ValidateLifetime = false,
        });
        return result.IsValid && token.Subject is { Length: > 0 } subject && token.Audiences.SingleOrDefault() is { } client
            ? new IdTokenHint(subject, client, token.TryGetPayloadValue<string>("sid", out var sid) ? sid : null)
            : null;
    }
}
