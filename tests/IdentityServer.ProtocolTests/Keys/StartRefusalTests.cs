using System.Globalization;
using System.Security.Cryptography;
using IdentityServer.Jobs;
using IdentityServer.Keys;
using IdentityServer.Protocol.Keys;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Keys;

/// <summary>A server whose master key does not fit its database does not start, says everything about it at once, and changes nothing.</summary>
public sealed class StartRefusalTests
{
    [Fact]
    public async Task A_wrong_master_key_names_everything_that_it_does_not_open()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        var right = MasterKeyFile.Read($"{database.Folder}/one.key").Id;
        var wrong = database.NewKey("two.key");

        var message = await database.RefusalAsync(("Path", "two.key"));

        Assert.Contains(wrong, message, StringComparison.Ordinal);
        await AssertNamesAllAsync(database, message, right);
        Assert.Contains($"Name the master key {right} as IdentityServer:MasterKey", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_master_key_names_everything_that_stays_closed()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        var right = MasterKeyFile.Read($"{database.Folder}/one.key").Id;

        var message = await database.RefusalAsync(("Path", "none.key"));

        Assert.Contains("There is no file", message, StringComparison.Ordinal);
        await AssertNamesAllAsync(database, message, right);
        Assert.False(File.Exists($"{database.Folder}/none.key"));
    }

    [Fact]
    public async Task An_expired_certificate_does_not_seal_but_opens_as_a_previous_key()
    {
        await using var database = new KeyedDatabase();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var ended = Pfx.Of(key, from: TimeSpan.FromDays(-10), until: TimeSpan.FromDays(-1));
        await File.WriteAllBytesAsync($"{database.Folder}/good.pfx", Pfx.Of(key), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync($"{database.Folder}/ended.pfx", ended, TestContext.Current.CancellationToken);
        string id;
        await using (var server = await database.StartAsync(("Path", "good.pfx"), ("Password", Pfx.Password)))
        {
            id = (await KeyedDatabase.SigningKeysAsync(server))[0].MasterKeyId;
        }

        var message = await database.RefusalAsync(("Path", "ended.pfx"), ("Password", Pfx.Password));
        Assert.Contains("expired on", message, StringComparison.Ordinal);
        Assert.Contains("same private key", message, StringComparison.Ordinal);
        Assert.Contains($"(ES256), sealed under master key {id}", message, StringComparison.Ordinal);
        Assert.DoesNotContain(Pfx.Password, message, StringComparison.Ordinal);

        database.NewKey("two.key");
        await using var changing = await database.StartAsync(
            ("Path", "two.key"), ("Previous:0:Path", "ended.pfx"), ("Previous:0:Password", Pfx.Password));
        Assert.Equal(KeyFactory.Algorithms.Count, (await KeyedDatabase.SigningKeysAsync(changing)).Count);
    }

    [Fact]
    public async Task A_certificate_that_is_not_valid_yet_is_refused_and_one_that_ends_soon_is_logged()
    {
        await using var database = new KeyedDatabase();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllBytesAsync(
            $"{database.Folder}/early.pfx", Pfx.Of(key, from: TimeSpan.FromDays(1)), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(
            $"{database.Folder}/late.pfx", Pfx.Of(key, until: TimeSpan.FromDays(29)), TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(
            $"{database.Folder}/fresh.pfx", Pfx.Of(key, until: TimeSpan.FromDays(31)), TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<MasterKeyException>(() => database.StartAsync(("Path", "early.pfx"), ("Password", Pfx.Password)));
        Assert.Contains("not valid before", error.Message, StringComparison.Ordinal);

        await using (await database.StartAsync(("Path", "fresh.pfx"), ("Password", Pfx.Password)))
        {
            Assert.DoesNotContain("expires on", database.Log.Text, StringComparison.Ordinal);
        }

        await using (var server = await database.StartAsync(("Path", "late.pfx"), ("Password", Pfx.Password)))
        {
            Assert.Contains("expires on", database.Log.Text, StringComparison.Ordinal);

            // And once a day, as a server may run for longer than a certificate.
            var job = server.Services.GetServices<IServerJob>().Single(job => job.Name == "master-key-term");
            Assert.Contains("expires on", await job.RunAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
            Assert.Equal(2, database.Log.Text.Split('\n').Count(line => line.Contains("expires on", StringComparison.Ordinal)));
            Assert.DoesNotContain(Pfx.Password, database.Log.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("\"SealedPrivateKey\" = substr(\"SealedPrivateKey\", 1, 20)", "cut off or changed")]
    [InlineData("\"SealedPrivateKey\" = substr(\"SealedPrivateKey\", 1, length(\"SealedPrivateKey\") - 1)", "cut off or changed")]
    [InlineData("\"SealedPrivateKey\" = x''", "cut off or changed")]
    [InlineData("\"SealedPrivateKey\" = NULL", "private key is missing")]
    [InlineData("\"SealedPrivateKey\" = x'02' || substr(\"SealedPrivateKey\", 2)", "cut off or changed")]
    [InlineData("\"SealedPrivateKey\" = x'01' || x'0000000000000000' || substr(\"SealedPrivateKey\", 10)", "cut off or changed")]
    [InlineData("\"SealedPrivateKey\" = substr(\"SealedPrivateKey\", 1, 60) || x'0000' || substr(\"SealedPrivateKey\", 63)", "cut off or changed")]
    [InlineData("\"PublicJwk\" = '{\"kty\":'", "not JSON")]
    [InlineData("\"PublicJwk\" = ''", "not JSON")]
    [InlineData("\"PublicJwk\" = '[]'", "no JSON object")]
    [InlineData("\"PublicJwk\" = replace(\"PublicJwk\", '\"x\":\"', '\"x\":\"A')", "not that of the private key")]
    [InlineData("\"PublicJwk\" = replace(\"PublicJwk\", '\"kid\":\"', '\"kid\":\"A')", "not that of the private key")]
    [InlineData("\"PublicJwk\" = '{}'", "not that of the private key")]
    public async Task A_damaged_row_is_told_apart_from_one_that_another_key_sealed(string damage, string reason)
    {
        await using var database = await KeyedDatabase.CreateAsync();
        await database.ExecuteAsync($"UPDATE \"SigningKeys\" SET {damage} WHERE \"Algorithm\" = 'ES256'");

        var message = await database.RefusalAsync(("Path", "one.key"));

        Assert.Matches($@"signing key \S+ \(ES256\), damaged: [^\n]*{reason}", message);
        Assert.Contains("backup", message, StringComparison.Ordinal);
        Assert.DoesNotContain("RS256", message, StringComparison.Ordinal);
        Assert.DoesNotContain("sealed under", message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'<key'")]
    [InlineData("replace(\"Xml\", '\">A', '\">AA')")]
    [InlineData("replace(\"Xml\", '\">A', '\">B')")]
    [InlineData("replace(\"Xml\", '\">A', '\">!')")]
    [InlineData("replace(\"Xml\", '</masterKeySealed>', 'AAAA</masterKeySealed>')")]
    [InlineData("replace(\"Xml\", 'masterKeySealed', 'sealed')")]
    public async Task So_is_a_damaged_Data_Protection_key(string damage)
    {
        await using var database = await KeyedDatabase.CreateAsync();
        await database.ExecuteAsync($"UPDATE \"DataProtectionKeys\" SET \"Xml\" = {damage}");

        var message = await database.RefusalAsync(("Path", "one.key"));

        Assert.Contains("1 Data Protection key(s), damaged", message, StringComparison.Ordinal);
        Assert.DoesNotContain("signing key", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_erased_key_needs_no_master_key_and_a_revoked_one_none_either()
    {
        await using var database = await KeyedDatabase.CreateAsync();
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
        await database.ExecuteAsync($"UPDATE \"SigningKeys\" SET \"SealedPrivateKey\" = NULL, \"ErasedAt\" = {now} WHERE \"Algorithm\" = 'ES256'");
        await database.ExecuteAsync($"UPDATE \"SigningKeys\" SET \"SealedPrivateKey\" = x'00', \"RevokedAt\" = {now} WHERE \"Algorithm\" = 'RS256'");

        await using var server = await database.StartAsync(("Path", "one.key"));

        Assert.Equal(KeyFactory.Algorithms.Count, (await KeyedDatabase.SigningKeysAsync(server)).Count);
    }

    private static async Task AssertNamesAllAsync(KeyedDatabase database, string message, string masterKeyId)
    {
        await using var server = await database.StartAsync(("Path", "one.key"));
        var keys = await KeyedDatabase.SigningKeysAsync(server);
        Assert.Equal(KeyFactory.Algorithms.Count, keys.Count);
        Assert.All(keys, key => Assert.Contains(
            $"signing key {key.Kid} ({key.Algorithm}), sealed under master key {masterKeyId}", message, StringComparison.Ordinal));
        Assert.Contains($"1 Data Protection key(s), sealed under master key {masterKeyId}", message, StringComparison.Ordinal);
        Assert.Contains("no new key was made", message, StringComparison.Ordinal);
    }
}
