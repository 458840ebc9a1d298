using System.Collections.Concurrent;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.Protocol.Clients;

/// <summary>Verifies <c>private_key_jwt</c> (RFC 7523 §3, OpenID Connect Core §9).</summary>
public sealed class ClientAssertion(IReplayStore replays, ProtocolOptions options, TimeProvider clock)
{
    /// <summary>The one <c>client_assertion_type</c>.</summary>
    public const string Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    // FAPI 2.0 asks for 10 s at least, so that a client whose clock runs a little ahead is not refused.
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(10);

    private static readonly JsonWebTokenHandler Jwt = new();

    private readonly ConcurrentDictionary<string, IList<SecurityKey>> _keySets = new(StringComparer.Ordinal);

    /// <summary>The signature algorithms accepted from clients.</summary>
    public static IReadOnlyList<string> Algorithms { get; } = ["RS256", "PS256", "ES256"];

    /// <summary>The <c>sub</c> as written, unverified: says whose key to try.</summary>
    public static string? SubjectOf(string assertion)
    {
        if (assertion.Length > 8192)
        {
            return null;
        }

        try
        {
            return new JsonWebToken(assertion).Subject is { Length: > 0 } subject ? subject : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    public async ValueTask<Result<Client>> VerifyAsync(Client client, string assertion, string endpoint, CancellationToken ct)
    {
        if (client.AuthMethod != ClientAuthMethods.PrivateKeyJwt || client.Jwks is not { } jwks)
        {
            return ProtocolError.InvalidClient("the client is not registered for private_key_jwt");
        }

        // 1 signature, by a key of the client and an algorithm that fits it
        var verified = await Jwt.ValidateTokenAsync(assertion, new TokenValidationParameters
        {
            IssuerSigningKeys = _keySets.GetOrAdd(jwks, text => new JsonWebKeySet(text).GetSigningKeys()),
            ValidAlgorithms = Algorithms,
            ValidIssuer = client.Id,
            ValidateAudience = false,
            ValidateLifetime = false,
            RequireExpirationTime = true,
        });
        if (!verified.IsValid || verified.SecurityToken is not JsonWebToken token)
        {
            return ProtocolError.InvalidClient("client_assertion: " + verified.Exception?.GetType().Name);
        }

        // 2 who and for whom: one audience, as a string, that is us
        if (token.Subject != client.Id
            || !token.TryGetPayloadValue<object>("aud", out var audience)
            || audience is not string aud
            || !(aud == options.Issuer || aud == options.Issuer + Endpoints.Token || aud == options.Issuer + endpoint))
        {
            return ProtocolError.InvalidClient("client_assertion: wrong sub or aud");
        }

        // 3 when
        var now = clock.GetUtcNow();
        if (!token.TryGetPayloadValue<long>("exp", out var exp)
            || now >= Instant(exp) + options.ForwardSkew
            || Instant(exp) > now + Longest
            || (token.TryGetPayloadValue<long>("nbf", out var nbf) && Instant(nbf) > now + Skew)
            || (token.TryGetPayloadValue<long>("iat", out var iat) && Instant(iat) > now + Skew))
        {
            return ProtocolError.InvalidClient("client_assertion: exp, nbf or iat out of range");
        }

        // 4 once
        return token.Id is { Length: > 0 and <= 512 } jti
            && await replays.TryUseAsync("client_assertion", $"{client.Id}\n{jti}", Instant(exp) + options.ForwardSkew, ct)
                ? client
                : ProtocolError.InvalidClient("client_assertion: jti missing or used before");
    }

    // Out-of-range numbers become an instant that fails every comparison safely.
    private static DateTimeOffset Instant(long seconds) =>
        seconds is > 0 and < 253_402_300_000 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : DateTimeOffset.MinValue.AddDays(1);
}
