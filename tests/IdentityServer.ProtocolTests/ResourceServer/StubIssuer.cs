using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.ProtocolTests.ResourceServer;

/// <summary>An issuer whose keys and tokens a test makes as it likes; it has metadata and keys, and nothing else.</summary>
internal sealed class StubIssuer(TimeProvider clock) : HttpMessageHandler
{
    public const string Issuer = "https://issuer.example";
    public const string JwksPath = "/jwks";

    private static readonly JsonWebTokenHandler Jwt = new() { SetDefaultTimesOnTokenCreation = false };

    private readonly List<ECDsaSecurityKey> _keys = [NewKey()];

    public ECDsaSecurityKey Key => _keys[0];

    /// <summary>A key that is published from now on; <paramref name="isPublished"/> false: never.</summary>
    public ECDsaSecurityKey AddKey(bool isPublished = true)
    {
        var key = NewKey();
        if (isPublished)
        {
            _keys.Insert(0, key);
        }

        return key;
    }

    /// <summary>An access token as the server makes them, with members changed or, where null, left out.</summary>
    public string Issue(SecurityKey? key = null, string type = "at+jwt", string algorithm = "ES256", params (string Name, JsonNode? Value)[] change)
    {
        var now = clock.GetUtcNow().ToUnixTimeSeconds();
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = "alice",
            ["aud"] = "orders-api",
            ["exp"] = now + 600,
            ["iat"] = now,
            ["jti"] = Convert.ToHexString(RandomNumberGenerator.GetBytes(16)),
            ["client_id"] = "app",
            ["scope"] = "orders.read",
        };
        foreach (var (name, value) in change)
        {
            if (value is null)
            {
                claims.Remove(name);
            }
            else
            {
                claims[name] = value;
            }
        }

        return Jwt.CreateToken(
            claims.ToJsonString(),
            new SigningCredentials(key ?? Key, algorithm),
            new Dictionary<string, object>(StringComparer.Ordinal) { ["typ"] = type });
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.RequestUri!.AbsolutePath switch
        {
            "/.well-known/openid-configuration" => new JsonObject { ["issuer"] = Issuer, ["jwks_uri"] = Issuer + JwksPath },
            JwksPath => new JsonObject { ["keys"] = new JsonArray([.. _keys.Select(Public)]) },
            _ => null,
        };
        return Task.FromResult(body is null
            ? new HttpResponseMessage(HttpStatusCode.NotFound)
            : new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") });
    }

    private static ECDsaSecurityKey NewKey() =>
        new(ECDsa.Create(ECCurve.NamedCurves.nistP256)) { KeyId = Convert.ToHexString(RandomNumberGenerator.GetBytes(8)) };

    private static JsonNode Public(ECDsaSecurityKey key)
    {
        var point = key.ECDsa.ExportParameters(includePrivateParameters: false).Q;
        return new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = Base64UrlEncoder.Encode(point.X),
            ["y"] = Base64UrlEncoder.Encode(point.Y),
            ["kid"] = key.KeyId,
            ["alg"] = "ES256",
            ["use"] = "sig",
        };
    }
}
