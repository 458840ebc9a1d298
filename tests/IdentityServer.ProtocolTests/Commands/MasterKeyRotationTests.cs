using System.Security.Cryptography;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Keys;
using IdentityServer.ProtocolTests.Keys;
using IdentityServer.Testing;
using Microsoft.Data.Sqlite;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary>docs/operations.md, "The master key": the whole way from one master key to the next, as an operator goes it.</summary>
public sealed class MasterKeyRotationTests
{
    private const string Scope = "openid offline_access";
    private const string RedirectUri = "https://rp.example/callback";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cookies_and_tokens_outlive_every_step_of_a_rotation()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        var person = new Person("alice", "nine lilac umbrellas wait");
        (await folder.RunAsync(
            ["users", "add", person.UserName, "--email", "alice@example.com", "--password-stdin"], person.Password, Ct)).Expect();
        var client = (await folder.RunAsync(
            ["clients", "add", "app", "--type", "web", "--redirect-uri", RedirectUri, "--no-consent", "--json"], null, Ct)).Json;
        using var http = Browser.CreateClient();
        var browser = new Browser(http);

        RelyingParty app;
        TokenAnswer tokens;
        await using (await folder.StartAsync(Ct))
        {
            app = new RelyingParty
            {
                Http = http,
                Provider = await OpenIdProvider.DiscoverAsync(http, folder.Issuer, Ct),
                Clock = TimeProvider.System,
                ClientId = "app",
                Secret = (string)client["client_secret"]!,
                RedirectUri = RedirectUri,
            };
            tokens = await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt(Scope), person, Ct), Ct);
        }

        // 1 the new key opens everywhere, before anything seals with it
        (await folder.RunAsync(["keys", "master-key", "new", "two.key"], null, Ct)).Expect();
        folder.Environment["IdentityServer__MasterKey__Previous__0__Path"] = $"{folder.Path}/two.key";
        await using (await folder.StartAsync(Ct))
        {
            await AssertNothingLostAsync();
        }

        // 2 it seals
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/two.key";
        folder.Environment["IdentityServer__MasterKey__Previous__0__Path"] = $"{folder.Path}/master.key";
        await using (await folder.StartAsync(Ct))
        {
            await AssertNothingLostAsync();

            // 3 what the old one sealed is sealed anew, while the server runs; its own job may have been first
            var rotated = await folder.RunAsync(["keys", "master-key", "rotate", "--json"], null, Ct);
            Assert.InRange((int)rotated.Json["signingKeys"]!, 0, KeyFactory.Algorithms.Count);
            Assert.Empty(rotated.Json["closed"]!.AsArray());
            var keys = JsonNode.Parse((await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output)!.AsArray();
            Assert.All(keys, key => Assert.Equal((string?)rotated.Json["masterKeyId"], (string?)key!["masterKeyId"]));
            await AssertNothingLostAsync();
        }

        // 4 the old one goes
        folder.Environment.Remove("IdentityServer__MasterKey__Previous__0__Path");
        File.Delete($"{folder.Path}/master.key");
        await using (await folder.StartAsync(Ct))
        {
            await AssertNothingLostAsync();
        }

        // Its text is as good as its file.
        folder.Environment["IdentityServer__MasterKey__Value"] =
            (await File.ReadAllTextAsync($"{folder.Path}/two.key", Ct)).Replace("\n", "\\n", StringComparison.Ordinal);
        folder.Environment["IdentityServer__MasterKey__Path"] = "";
        await using (await folder.StartAsync(Ct))
        {
            await AssertNothingLostAsync();
        }

        var again = (await folder.RunAsync(["keys", "master-key", "rotate"], null, Ct)).Successful();
        Assert.Matches(@"signing keys\s+0\b", again.Output);

        async Task AssertNothingLostAsync()
        {
            Assert.True((await app.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive, "The access token is lost.");
            Assert.Equal(200, (await app.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
            var silent = await app.AuthorizeAsync(browser, app.Attempt(Scope), null, Ct);
            Assert.True((await app.ExchangeAsync(silent, Ct)).Succeeded, "The session cookie is lost.");
        }
    }

    [Fact]
    public async Task What_does_not_open_is_named_and_the_rest_is_done()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        await using (await folder.StartAsync(Ct))
        {
        }

        var kid = await ExecuteAsync(folder, "SELECT \"Kid\" FROM \"SigningKeys\" WHERE \"Algorithm\" = 'ES256'");
        await ExecuteAsync(folder, "UPDATE \"SigningKeys\" SET \"SealedPrivateKey\" = x'01' WHERE \"Algorithm\" = 'ES256'");
        (await folder.RunAsync(["keys", "master-key", "new", "two.key"], null, Ct)).Expect();
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/two.key";
        folder.Environment["IdentityServer__MasterKey__Previous__0__Path"] = $"{folder.Path}/master.key";

        var result = await folder.RunAsync(["keys", "master-key", "rotate", "--json"], null, Ct);

        Assert.Equal(4, result.ExitCode);
        var json = JsonNode.Parse(result.Output)!;
        Assert.Equal(KeyFactory.Algorithms.Count - 1, (int)json["signingKeys"]!);
        var closed = Assert.Single(json["closed"]!.AsArray())!;
        Assert.Equal(("signing", kid, "ES256"), ((string?)closed["kind"], (string?)closed["id"], (string?)closed["alg"]));
        Assert.Contains($"signing key {kid} (ES256), damaged", result.Errors, StringComparison.Ordinal);

        var serving = await folder.RunAsync(["serve"], null, Ct);
        Assert.Equal(4, serving.ExitCode);
        Assert.Contains($"signing key {kid} (ES256), damaged", serving.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", serving.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_PKCS12_file_serves_and_a_wrong_password_does_not()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        using var key = RSA.Create(2048);
        await File.WriteAllBytesAsync($"{folder.Path}/master.pfx", Pfx.Of(key), Ct);
        await File.WriteAllTextAsync($"{folder.Path}/password", Pfx.Password + "\n", Ct);
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/master.pfx";
        folder.Environment["IdentityServer__MasterKey__PasswordFile"] = $"{folder.Path}/password";
        await using (var server = await folder.StartAsync(Ct))
        {
            Assert.DoesNotContain(Pfx.Password, server.Log, StringComparison.Ordinal);
        }

        await File.WriteAllTextAsync($"{folder.Path}/password", "wrong-secret", Ct);
        var refused = await folder.RunAsync(["serve"], null, Ct);
        Assert.Equal(4, refused.ExitCode);
        Assert.Contains("does not open", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("(ES256), sealed under master key", refused.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-secret", refused.Errors, StringComparison.Ordinal);
    }

    private static async Task<string?> ExecuteAsync(ServerFolder folder, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={folder.Path}/server.db;Pooling=false");
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the test
        command.CommandText = sql;
#pragma warning restore CA2100
        return (string?)await command.ExecuteScalarAsync(Ct);
    }
}
