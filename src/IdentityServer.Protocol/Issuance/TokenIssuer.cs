using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Protocol.Subjects;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.Protocol.Issuance;

/// <summary>Turns an entitlement into tokens: access tokens (RFC 9068 or reference) and ID tokens (OpenID Connect Core §2).</summary>
public sealed class TokenIssuer(
    SigningKeyRing keys, KeyUseLedger uses, ScopeCatalog scopes, ISubjects subjects, RevocationList revocations, ProtocolOptions options)
{
    private const string AccessTokenAlgorithm = "ES256";

    private static readonly JsonWebTokenHandler Jwt = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly string[] _ownAudience = [options.Issuer];

    /// <summary>A handle for clients with reference access tokens.</summary>
    public static Handle? NewAccessHandle(Client client) =>
        client.TokenFormat == TokenFormat.Reference ? Handle.Create() : null;

    /// <summary>Signs what the entitlement allows. Reads storage only for claims of a person that the app asked for in the ID token.</summary>
    public async ValueTask<TokenResponse> IssueAsync(Entitlement entitlement, CancellationToken ct)
    {
        var accessToken = entitlement.AccessHandle is { } handle ? handle.Text : Sign(ClaimsOf(entitlement));
        var wantsIdToken = entitlement.Grant is not null && Contains(entitlement.Scopes, StandardScopes.OpenId);
        return new TokenResponse
        {
            AccessToken = accessToken,
            TokenType = "Bearer",
            ExpiresIn = (long)entitlement.Client.AccessTokenLifetime.TotalSeconds,
            Scope = entitlement.Scopes.Count == 0 ? null : string.Join(' ', entitlement.Scopes),
            RefreshToken = entitlement.RefreshToken,
            IdToken = wantsIdToken ? await IdTokenAsync(entitlement, accessToken, ct) : null,
        };
    }

    /// <summary>What storage keeps of a reference access token; <see langword="null"/> when the client takes JWTs.</summary>
    public TokenRecord? RecordOf(Entitlement entitlement) => entitlement.AccessHandle is { } handle
        ? new TokenRecord
        {
            Hash = handle.Hash,
            Kind = TokenKind.Reference,
            ClientId = entitlement.Client.Id,
            Grant = entitlement.Grant,
            IssuedAt = entitlement.IssuedAt,
            ExpiresAt = entitlement.ExpiresAt,
            Payload = ClaimsOf(entitlement).ToJson(),
        }
        : null;

    /// <summary>Signs a set of claims with the active key of an algorithm, e.g. an ID token or a signed UserInfo answer.</summary>
    /// <param name="claims">The payload.</param>
    /// <param name="algorithm">One that keys are made for.</param>
    /// <param name="type">The <c>typ</c> (RFC 8725 §3.11).</param>
    public string Sign(JsonObject claims, string algorithm, string type = "JWT") => Jwt.CreateToken(
        claims.ToJsonString(), keys.Current.Signing[algorithm], new Dictionary<string, object>(StringComparer.Ordinal) { ["typ"] = type });

    private AccessToken ClaimsOf(Entitlement entitlement)
    {
        var audience = scopes.AudiencesOf(entitlement.Scopes);

        // UserInfo and the admin API are ours, and a token for no registered API is for us alone (RFC 9068 §3, a default audience).
        if (audience.Count == 0)
        {
            audience = _ownAudience;
        }
        else if (Contains(entitlement.Scopes, StandardScopes.OpenId) || entitlement.Scopes.Any(AdminScopes.All.ContainsKey))
        {
            audience = [.. audience, options.Issuer];
        }

        // A client's own token is as old as the cutoffs that this node has heard of; one of the client that it has not heard of yet ends it too.
        return AccessToken.Of(entitlement, options.Issuer, audience, entitlement.Grant?.Epoch ?? revocations.Epoch);
    }

    private string Sign(AccessToken token)
    {
        var claims = new Dictionary<string, object>(14, StringComparer.Ordinal)
        {
            ["iss"] = token.Issuer,
            ["sub"] = token.Subject,
            ["aud"] = token.Audience.Count == 1 ? token.Audience[0] : token.Audience.ToArray(),
            ["exp"] = token.ExpiresAt,
            ["iat"] = token.IssuedAt,
            ["jti"] = token.Id,
            ["client_id"] = token.ClientId,
        };
        AddIfKnown(claims, "scope", token.Scope);
        AddIfKnown(claims, "sid", token.SessionId);
        AddIfKnown(claims, "gid", token.GrantId);
        AddIfKnown(claims, "auth_time", token.AuthenticatedAt);
        AddIfKnown(claims, "acr", token.Acr);
        AddIfKnown(claims, "amr", token.Amr?.ToArray());
        AddIfKnown(claims, "epoch", token.Epoch == 0 ? null : token.Epoch);

        var credentials = keys.Current.Signing[AccessTokenAlgorithm];
        uses.Count(credentials.Key.KeyId, token.ClientId, DateTimeOffset.FromUnixTimeSeconds(token.ExpiresAt));
        return Jwt.CreateToken(new SecurityTokenDescriptor
        {
            TokenType = "at+jwt",
            Claims = claims,
            SigningCredentials = credentials,
        });
    }

    private async ValueTask<string> IdTokenAsync(Entitlement entitlement, string accessToken, CancellationToken ct)
    {
        var grant = entitlement.Grant!;
        var claims = new JsonObject
        {
            ["iss"] = options.Issuer,
            ["sub"] = entitlement.Subject,
            ["aud"] = entitlement.Client.Id,
            ["exp"] = (entitlement.IssuedAt + options.IdTokenLifetime).ToUnixTimeSeconds(),
            ["iat"] = entitlement.IssuedAt.ToUnixTimeSeconds(),
            ["auth_time"] = grant.AuthenticatedAt.ToUnixTimeSeconds(),
            ["acr"] = grant.Acr,
            ["amr"] = new JsonArray([.. grant.Amr.Select(method => JsonValue.Create(method))]),
            ["sid"] = grant.SessionId,
            ["at_hash"] = LeftHalfHash(accessToken, entitlement.Client.IdTokenSigningAlgorithm),
        };
        if (entitlement.Nonce is { } nonce)
        {
            claims["nonce"] = nonce;
        }

        // Claims beyond these only when asked for by name (OpenID Connect Core §5.5); the others wait at UserInfo.
        if (grant.ClaimsRequest is { } sent
            && ClaimsRequest.Parse(sent).TryGet(out var requested, out _)
            && requested.IdToken.Count > 0
            && await subjects.FindAsync(entitlement.Subject, ct) is { } person)
        {
            foreach (var (name, value) in ClaimRules.ForIdToken(person, requested))
            {
                claims.TryAdd(name, value.DeepClone());
            }
        }

        var credentials = keys.Current.Signing[entitlement.Client.IdTokenSigningAlgorithm];
        uses.Count(credentials.Key.KeyId, entitlement.Client.Id, entitlement.IssuedAt + options.IdTokenLifetime);
        return Jwt.CreateToken(claims.ToJsonString(), credentials);
    }

    // With the hash of the signature's algorithm (OpenID Connect Core §3.1.3.6).
    private static string LeftHalfHash(string text, string algorithm)
    {
        var octets = Encoding.ASCII.GetBytes(text);
        var hash = algorithm.EndsWith("384", StringComparison.Ordinal) ? SHA384.HashData(octets) : SHA256.HashData(octets);
        return Base64Url.EncodeToString(hash.AsSpan(0, hash.Length / 2));
    }

    private static bool Contains(IReadOnlyList<string> scopes, string scope) => scopes.Contains(scope, StringComparer.Ordinal);

    private static void AddIfKnown(Dictionary<string, object> claims, string name, object? value)
    {
        if (value is not null)
        {
            claims[name] = value;
        }
    }
}
