using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using IdentityServer.Protocol;
using Microsoft.IdentityModel.Tokens;

namespace IdentityServer.ProtocolTests.Commands;

public sealed class ClientCommandTests(MigratedFolder folder) : CommandTest(folder)
{
    [Fact]
    public async Task A_web_client_gets_safe_defaults_and_a_secret_shown_once()
    {
        var added = (await RunAsync(
            "clients", "add", "web-1", "--type", "web", "--name", "Shop", "--json",
            "--redirect-uri", "https://shop.example/cb", "http://localhost:5002/cb",
            "--post-logout-redirect-uri", "https://shop.example/bye")).Json;

        Assert.Equal("web-1", (string?)added["client_id"]);
        Assert.Equal("Shop", (string?)added["client_name"]);
        Assert.Equal(43, ((string?)added["client_secret"])!.Length);
        Assert.Equal(0, (int)added["client_secret_expires_at"]!);
        Assert.Equal("client_secret_basic", (string?)added["token_endpoint_auth_method"]);
        Assert.Equal(["authorization_code", "refresh_token"], Texts(added["grant_types"]));
        Assert.Equal(["code"], Texts(added["response_types"]));
        Assert.Equal("email offline_access openid profile", (string?)added["scope"]);
        Assert.Equal(["https://shop.example/cb", "http://localhost:5002/cb"], Texts(added["redirect_uris"]));
        Assert.True((bool)added["require_consent"]!);

        var shown = (await RunAsync("clients", "show", "web-1", "--json")).Json;
        Assert.False(shown.ContainsKey("client_secret"));
        added.Remove("client_secret");
        added.Remove("client_secret_expires_at");
        Assert.True(JsonNode.DeepEquals(added, shown), $"{added}\n{shown}");
    }

    [Fact]
    public async Task Addresses_for_logout_are_set_shown_and_removed()
    {
        var added = (await RunAsync(
            "clients", "add", "logout-1", "--type", "web", "--redirect-uri", "https://shop.example/cb", "--json",
            "--backchannel-logout-uri", "https://shop.example/back", "--frontchannel-logout-uri", "https://shop.example/front")).Json;
        Assert.Equal("https://shop.example/back", (string?)added["backchannel_logout_uri"]);
        Assert.Equal("https://shop.example/front", (string?)added["frontchannel_logout_uri"]);
        Assert.True((bool)added["backchannel_logout_session_required"]!);
        Assert.True((bool)added["frontchannel_logout_session_required"]!);

        AssertFailed(
            await RunAsync("clients", "set", "logout-1", "--backchannel-logout-uri", "http://localhost:5002/back"), Refused, "is not https");
        AssertFailed(
            await RunAsync("clients", "set", "logout-1", "--frontchannel-logout-uri", "https://other.example/front"), Refused, "one of the redirect URIs");
        var set = (await RunAsync("clients", "set", "logout-1", "--backchannel-logout-uri", "https://shop.example/other")).Successful();
        Assert.Contains("https://shop.example/other", set.Output, StringComparison.Ordinal);
        Assert.Contains("https://shop.example/front", set.Output, StringComparison.Ordinal);

        (await RunAsync("clients", "set", "logout-1", "--backchannel-logout-uri", "", "--frontchannel-logout-uri", "")).Successful();
        var shown = (await RunAsync("clients", "show", "logout-1", "--json")).Json;
        Assert.DoesNotContain(shown, member => member.Key.Contains("channel", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Tables_and_hints_are_for_people()
    {
        var added = (await RunAsync("clients", "add", "service-1", "--type", "service", "--scope", "orders.read")).Successful();
        Assert.Contains("client_secret", added.Output, StringComparison.Ordinal);
        Assert.Contains("not shown again", added.Errors, StringComparison.Ordinal);

        var listed = (await RunAsync("clients", "list")).Successful();
        Assert.Contains("service-1", listed.Output, StringComparison.Ordinal);
        var shown = (await RunAsync("clients", "show", "service-1")).Successful();
        Assert.Contains("client_credentials", shown.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("client_secret ", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_option_reaches_the_client()
    {
        var added = (await RunAsync(
            "clients", "add", "device-1", "--type", "device", "--grant", "device_code", "refresh_token", "--auth", "client_secret_post",
            "--scope", "openid profile", "--scope", "orders.read", "--token-format", "reference", "--id-token-alg", "es256",
            "--userinfo-alg", "rs256",
            "--access-token-lifetime", "120", "--no-consent", "--origin", "https://tv.example", "--json")).Json;

        Assert.Equal(["refresh_token", "urn:ietf:params:oauth:grant-type:device_code"], Texts(added["grant_types"]));
        Assert.Equal("client_secret_post", (string?)added["token_endpoint_auth_method"]);
        Assert.Equal("openid orders.read profile", (string?)added["scope"]);
        Assert.Equal("reference", (string?)added["access_token_format"]);
        Assert.Equal("ES256", (string?)added["id_token_signed_response_alg"]);
        Assert.Equal("RS256", (string?)added["userinfo_signed_response_alg"]);
        Assert.Equal(120, (int)added["access_token_lifetime"]!);
        Assert.False((bool)added["require_consent"]!);
        Assert.Equal(["https://tv.example"], Texts(added["allowed_origins"]));
    }

    [Fact]
    public async Task Public_keys_are_read_from_a_file_and_private_ones_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(key) { KeyId = "k1" });
        var publicFile = await FileAsync($$"""{"kty":"EC","crv":"P-256","x":"{{jwk.X}}","y":"{{jwk.Y}}","kid":"k1","alg":"ES256"}""");
        var privateFile = await FileAsync(JsonSerializer.Serialize(new { kty = "EC", crv = "P-256", x = jwk.X, y = jwk.Y, d = jwk.D }));

        var added = (await RunAsync(
            "clients", "add", "keyed", "--type", "service", "--auth", "private_key_jwt", "--jwks", publicFile, "--json")).Json;
        Assert.Equal("k1", (string?)added["jwks"]!["keys"]![0]!["kid"]);
        Assert.False(added.ContainsKey("client_secret"));

        AssertFailed(
            await RunAsync("clients", "add", "keyed-2", "--type", "service", "--auth", "private_key_jwt", "--jwks", privateFile),
            Refused,
            "is a private key");
        AssertFailed(
            await RunAsync("clients", "add", "keyed-2", "--type", "service", "--auth", "private_key_jwt", "--jwks", Folder.Path + "/none"),
            Usage,
            "cannot be read");
        AssertFailed(await RunAsync("clients", "rotate-secret", "keyed"), Refused, "has no secret");
    }

    // ClientDraftTests has every rule; here, that each kind of fault reaches the person, and nothing is stored.
    [Theory]
    [InlineData("needs at least one redirect URI", "refused", "--type", "web")]
    [InlineData("only native apps", "refused", "--type", "web", "--redirect-uri", "com.example.app:/cb")]
    [InlineData("may not use client_credentials", "refused", "--type", "service", "--auth", "none")]
    [InlineData("identityserver scopes add orders.delete", "refused", "--type", "service", "--scope", "orders.delete")]
    [InlineData("5 to 43200 seconds", "refused", "--type", "service", "--access-token-lifetime", "-2147483648")]
    [InlineData("is empty", "", "--type", "service")]
    [InlineData("not allowed", "a\u001b[31mb", "--type", "service")]
    public async Task What_may_not_be_is_refused_with_the_reason(string reason, params string[] arguments)
    {
        AssertFailed(await RunAsync(["clients", "add", .. arguments]), Refused, reason);
    }

    [Fact]
    public async Task All_that_speaks_against_a_client_is_said_at_once_and_nothing_stored()
    {
        var refused = await RunAsync("clients", "add", "refused", "--type", "spa", "--auth", "basic", "--scope", "none.such", "--origin", "*");

        AssertFailed(refused, Refused, "cannot keep a secret");
        AssertFailed(refused, Refused, "at least one redirect URI");
        AssertFailed(refused, Refused, "none.such does not exist");
        AssertFailed(refused, Refused, "has a wildcard");
        AssertFailed(await RunAsync("clients", "show", "refused"), Refused, "no client refused");
    }

    [Fact]
    public async Task An_id_is_given_once_and_compares_by_letter()
    {
        (await RunAsync("clients", "add", "twice", "--type", "service", "--json")).Expect();
        AssertFailed(await RunAsync("clients", "add", "twice", "--type", "service", "--json"), Refused, "a client twice already");
        (await RunAsync("clients", "add", "Twice", "--type", "service", "--json")).Expect();
    }

    [Fact]
    public async Task A_new_secret_leaves_the_old_one_alive_for_as_long_as_was_said()
    {
        (await RunAsync("clients", "add", "rotating", "--type", "service", "--json")).Expect();

        var second = (await RunAsync("clients", "rotate-secret", "rotating", "--expire-old", "1h", "--json")).Json;
        var secrets = second["secrets"]!.AsArray();
        Assert.Equal(2, secrets.Count);
        Assert.NotEqual(0, (long)secrets[0]!["client_secret_expires_at"]!);
        Assert.Equal(0, (long)secrets[1]!["client_secret_expires_at"]!);

        var third = (await RunAsync("clients", "rotate-secret", "rotating", "--expire-old", "0", "--json")).Json;
        Assert.Single(third["secrets"]!.AsArray());
        Assert.NotEqual((string?)second["client_secret"], (string?)third["client_secret"]);
    }

    [Fact]
    public async Task The_database_holds_hashes_only()
    {
        var secret = (string)(await RunAsync("clients", "add", "hashed", "--type", "service", "--json")).Json["client_secret"]!;

        var files = await Task.WhenAll(Directory.GetFiles(Folder.Path, "server.db*").Select(file => File.ReadAllBytesAsync(file, Ct)));
        Assert.All(files, bytes => Assert.Equal(-1, bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(secret))));
        Assert.Contains(files, bytes => bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(Handle.HashOf(secret))) >= 0);
    }

    [Fact]
    public async Task A_disabled_client_is_refused_until_it_is_enabled()
    {
        await RunAsync("clients", "add", "resting", "--type", "service");
        AssertFailed(await RunAsync("clients", "disable", "resting", "--reason", " "), Refused, "reason");
        var disabled = await RunAsync("clients", "disable", "resting", "--reason", "contract ended");
        disabled.Expect();
        Assert.Contains("what it was given has ended", disabled.Output, StringComparison.Ordinal);
        Assert.Contains("receipt", disabled.Output, StringComparison.Ordinal);
        Assert.Contains("disabled", (await RunAsync("clients", "list")).Output, StringComparison.Ordinal);
        AssertFailed(await RunAsync("clients", "disable", "resting", "--reason", "again"), Refused, "disabled already");

        (await RunAsync("clients", "enable", "resting")).Expect();
        AssertFailed(await RunAsync("clients", "enable", "resting"), Refused, "is enabled");
        AssertFailed(await RunAsync("clients", "disable", "nobody", "--reason", "x"), Refused, "no client nobody");
        AssertFailed(await RunAsync("clients", "enable", "nobody"), Refused, "no client nobody");
    }

    [Fact]
    public async Task A_removed_client_is_gone()
    {
        (await RunAsync("clients", "add", "leaving", "--type", "service")).Expect();
        (await RunAsync("clients", "remove", "leaving")).Expect();

        AssertFailed(await RunAsync("clients", "remove", "leaving"), Refused, "no client leaving");
        AssertFailed(await RunAsync("clients", "show", "leaving"), Refused, "no client leaving");
        AssertFailed(await RunAsync("clients", "rotate-secret", "leaving"), Refused, "no client leaving");
    }

    private async Task<string> FileAsync(string json)
    {
        var path = Path.Combine(Folder.Path, Path.GetRandomFileName());
        await File.WriteAllTextAsync(path, json, Ct);
        return path;
    }

    private static string[] Texts(JsonNode? array) => [.. array!.AsArray().Select(item => (string)item!)];
}
