using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using IdentityServer.Testing;

namespace IdentityServer.ProtocolTests.Oracles;

/// <summary>The server process that the independent clients meet, set up by commands alone.</summary>
public sealed class OracleServer : IAsyncLifetime
{
    public const string Api = "https://api.example";

    private const string Scope = "api:read";
    private const string UserName = "alice";
    private const string Password = "nine lilac umbrellas wait";
    private const string RedirectUri = "http://127.0.0.1:8765/cb";
    private const string PostLogoutRedirectUri = "http://127.0.0.1:8765/post-logout";

    private ServerProcess? _server;

    public ServerFolder Folder { get; private set; } = null!;

    /// <summary>What tests/oracles/README.md asks for.</summary>
    public IReadOnlyList<(string Name, string Value)> Environment { get; private set; } = [];

    /// <summary>The built API of tests/oracles/rs-jwtbearer.</summary>
    public static string ResourceServerProgram { get; } = Path.Combine(
        Repository.Root, "tests", "oracles", "rs-jwtbearer", "bin", Repository.Configuration, "net10.0", "rs-jwtbearer");

    public async ValueTask InitializeAsync()
    {
        var ct = TestContext.Current.CancellationToken;
        Folder = await ServerFolder.CreateAsync(ct);
        var keyFile = Path.Combine(Folder.Path, "client-private.jwk");
        var publicFile = Path.Combine(Folder.Path, "client-public.jwk");
        await WriteKeyAsync(keyFile, publicFile, ct);

        await RunAsync(["migrate", "up"], null, ct);
        await RunAsync(["scopes", "add", Scope], null, ct);
        await RunAsync(["apis", "add", Api, "--scope", Scope], null, ct);
        await RunAsync(["users", "add", UserName, "--email", "alice@example.com", "--password-stdin"], Password, ct);
        var client = (await Folder.RunAsync(
            [
                "clients", "add", "oracle", "--type", "web", "--auth", "basic",
                "--redirect-uri", RedirectUri, "--post-logout-redirect-uri", PostLogoutRedirectUri,
                "--grant", "authorization_code", "--grant", "refresh_token", "--grant", "client_credentials",
                "--scope", "openid", "--scope", "profile", "--scope", "email", "--scope", "offline_access",
                "--scope", Scope, "--json",
            ],
            null,
            ct)).Json;
        await RunAsync(
            [
                "clients", "add", "oracle-key", "--type", "service", "--auth", "private_key_jwt", "--jwks", publicFile,
                "--scope", Scope,
            ],
            null,
            ct);

        _server = await Folder.StartAsync(ct);
        Environment =
        [
            ("ISSUER", Folder.Issuer),
            ("CLIENT_ID", (string)client["client_id"]!),
            ("CLIENT_SECRET", (string)client["client_secret"]!),
            ("REDIRECT_URI", RedirectUri),
            ("POST_LOGOUT_REDIRECT_URI", PostLogoutRedirectUri),
            ("USER_NAME", UserName),
            ("PASSWORD", Password),
            ("CC_SCOPE", Scope),
            ("PKJ_CLIENT_ID", "oracle-key"),
            ("PKJ_JWK", keyFile),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        await Folder.DisposeAsync();
    }

    private async Task RunAsync(string[] arguments, string? input, CancellationToken ct) =>
        (await Folder.RunAsync(arguments, input, ct)).Expect();

    private static async Task WriteKeyAsync(string privateFile, string publicFile, CancellationToken ct)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        var jwk = new JsonObject
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["alg"] = "ES256",
            ["use"] = "sig",
            ["kid"] = "oracle",
            ["x"] = Base64Url.EncodeToString(parameters.Q.X),
            ["y"] = Base64Url.EncodeToString(parameters.Q.Y),
        };
        await File.WriteAllTextAsync(publicFile, jwk.ToJsonString(), ct);
        jwk["d"] = Base64Url.EncodeToString(parameters.D);
        await File.WriteAllTextAsync(privateFile, jwk.ToJsonString(), ct);
    }
}
