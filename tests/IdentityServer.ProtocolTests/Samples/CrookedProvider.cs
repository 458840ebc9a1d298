using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace IdentityServer.ProtocolTests.Samples;

/// <summary>What a provider is about to answer; a test bends one thing in it.</summary>
internal sealed class ProviderAnswer
{
    public required JsonObject Header { get; init; }

    public required JsonObject Claims { get; init; }

    /// <summary>Signs the encoded header and claims.</summary>
    public required Func<byte[], byte[]> Sign { get; set; }

    /// <summary>The <c>iss</c> that goes back through the browser.</summary>
    public required string? IssuerParameter { get; set; }

    public bool HasIdToken { get; set; } = true;

    public string UserInfoSubject { get; set; } = CrookedProvider.Subject;

    /// <summary>How long the access token lives; one of a few seconds is refreshed at the next request.</summary>
    public int Seconds { get; set; } = 600;

    /// <summary>The refresh token is refused.</summary>
    public bool IsOver { get; set; }
}

/// <summary>
/// A provider that signs anybody in at once and answers correctly, except for what a test bends: shows that an app refuses
/// what our own server would never send.
/// </summary>
internal sealed class CrookedProvider : IAsyncDisposable
{
    public const string Subject = "somebody";
    public const string ClientId = "webapp";
    public const string ClientSecret = "the secret of the app";
    private const string KeyId = "published";
    private const string AccessToken = "an-access-token";

    private readonly RSA _key = RSA.Create(2048);
    private readonly WebApplication _app;
    private string _nonce = "";
    private string _refreshToken = "";

    private CrookedProvider(string issuer)
    {
        Issuer = issuer;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(issuer);
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", Metadata);
        _app.MapGet("/jwks", Keys);
        _app.MapGet("/connect/authorize", Authorize);
        _app.MapPost("/connect/token", TokensAsync);
        _app.MapGet("/connect/userinfo", () => Results.Json(new { sub = Answer().UserInfoSubject, name = "Some Body" }));
    }

    public string Issuer { get; }

    /// <summary>What is wrong with the next sign-in; nothing by default.</summary>
    public Action<ProviderAnswer> Bend { get; set; } = _ => { };

    public static async Task<CrookedProvider> StartAsync(Uri address, CancellationToken ct)
    {
        var provider = new CrookedProvider(address.GetLeftPart(UriPartial.Authority));
        await provider._app.StartAsync(ct);
        return provider;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }

    private IResult Metadata() => Results.Json(new JsonObject
    {
        ["issuer"] = Issuer,
        ["authorization_endpoint"] = $"{Issuer}/connect/authorize",
        ["token_endpoint"] = $"{Issuer}/connect/token",
        ["userinfo_endpoint"] = $"{Issuer}/connect/userinfo",
        ["jwks_uri"] = $"{Issuer}/jwks",
    });

    private IResult Keys()
    {
        var key = _key.ExportParameters(includePrivateParameters: false);
        var published = new JsonObject
        {
            ["kty"] = "RSA",
            ["use"] = "sig",
            ["alg"] = "RS256",
            ["kid"] = KeyId,
            ["n"] = Base64Url.EncodeToString(key.Modulus),
            ["e"] = Base64Url.EncodeToString(key.Exponent),
        };
        return Results.Json(new JsonObject { ["keys"] = new JsonArray(published) });
    }

    private IResult Authorize(HttpRequest request)
    {
        _nonce = request.Query["nonce"].ToString();
        var back = QueryString.Create("code", "a-code").Add("state", request.Query["state"].ToString());
        return Results.Redirect(
            request.Query["redirect_uri"] + (Answer().IssuerParameter is { } issuer ? back.Add("iss", issuer) : back).ToString());
    }

    private async Task<IResult> TokensAsync(HttpRequest request, CancellationToken ct)
    {
        var answer = Answer();
        var form = await request.ReadFormAsync(ct);
        if (form["grant_type"] == "refresh_token" && (answer.IsOver || form["refresh_token"] != _refreshToken))
        {
            return Results.Json(new JsonObject { ["error"] = "invalid_grant" }, statusCode: StatusCodes.Status400BadRequest);
        }

        _refreshToken = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));
        var body = new JsonObject
        {
            ["access_token"] = AccessToken,
            ["token_type"] = "Bearer",
            ["expires_in"] = answer.Seconds,
            ["refresh_token"] = _refreshToken,
        };
        if (answer.HasIdToken)
        {
            var signed = $"{Encode(answer.Header)}.{Encode(answer.Claims)}";
            body["id_token"] = $"{signed}.{Base64Url.EncodeToString(answer.Sign(Encoding.ASCII.GetBytes(signed)))}";
        }

        return Results.Json(body);
    }

    private ProviderAnswer Answer()
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var answer = new ProviderAnswer
        {
            Header = new JsonObject { ["alg"] = "RS256", ["typ"] = "JWT", ["kid"] = KeyId },
            Claims = new JsonObject
            {
                ["iss"] = Issuer,
                ["sub"] = Subject,
                ["aud"] = ClientId,
                ["iat"] = now,
                ["exp"] = now + 600,
                ["nonce"] = _nonce,
                ["at_hash"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(AccessToken)).AsSpan(0, 16)),
            },
            Sign = data => _key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
            IssuerParameter = Issuer,
        };
        Bend(answer);
        return answer;
    }

    private static string Encode(JsonObject part) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(part));
}
