using System.Security.Cryptography;
using System.Text.Json.Nodes;
using IdentityServer.ProtocolTests.Keys;
using IdentityServer.Testing;
using Microsoft.Data.Sqlite;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary><c>doctor</c> says what is wrong and how to mend it, goes on after each, and changes nothing.</summary>
public sealed class DoctorCommandTests
{
    private static readonly string[] Checks =
    [
        "settings", "issuer", "master-key", "master-key-file", "master-key-term", "master-key-previous", "database-folder", "database",
        "schema", "signing-keys", "signing-now", "data-protection", "clock", "mail", "mail-outbox",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_in_order_is_told_so_also_while_it_is_down()
    {
        await using var folder = await ServedFolderAsync();

        var (exitCode, findings) = await ExamineAsync(folder);

        Assert.Equal(0, exitCode);
        Assert.Equal(Checks, findings.Keys);
        Assert.Equal("warn", findings["mail"].Result);
        Assert.All(findings.Where(finding => finding.Key != "mail"), finding => Assert.True(
            finding.Value is { Result: "ok", Mend: null } && finding.Value.Detail.Length > 0, $"{finding}"));

        var shown = (await folder.RunAsync(["doctor"], null, Ct)).Successful();
        Assert.Contains("0 failed, 1 to look at.", shown.Output, StringComparison.Ordinal);
        Assert.All(Checks, check => Assert.Contains(check, shown.Output, StringComparison.Ordinal));

        // The one thing that a server can do without.
        await using var mails = await MailServer.StartAsync(Ct);
        folder.Environment["IdentityServer__Mail__From"] = "id@example.com";
        folder.Environment["IdentityServer__Mail__Smtp__Host"] = "127.0.0.1";
        folder.Environment["IdentityServer__Mail__Smtp__Port"] = $"{mails.Port}";
        folder.Environment["IdentityServer__Mail__Smtp__Tls"] = "None";
        shown = (await folder.RunAsync(["doctor"], null, Ct)).Successful();
        Assert.Contains("Everything is as it should be.", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_changes_nothing()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        var before = Directory.GetFileSystemEntries(folder.Path);

        Assert.Equal(1, (await ExamineAsync(folder)).ExitCode);
        Assert.Equal(before, Directory.GetFileSystemEntries(folder.Path));

        folder.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/made.key";
        var (_, findings) = await ExamineAsync(folder);
        Assert.Equal(("warn", "warn"), (findings["master-key"].Result, findings["schema"].Result));
        Assert.Equal(before, Directory.GetFileSystemEntries(folder.Path));
    }

    [Fact]
    public async Task A_wrong_master_key_is_named_with_every_key_that_it_does_not_open()
    {
        await using var folder = await ServedFolderAsync();
        (await folder.RunAsync(["keys", "master-key", "new", "two.key"], null, Ct)).Expect();
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/two.key";
        var keys = JsonNode.Parse((await folder.RunAsync(["keys", "list", "--json"], null, Ct)).Successful().Output)!.AsArray();

        var (exitCode, findings) = await ExamineAsync(folder);

        Assert.Equal(1, exitCode);
        Assert.Equal("ok", findings["master-key"].Result);
        Assert.Equal("fail", findings["signing-keys"].Result);
        Assert.All(keys, key => Assert.Contains((string)key!["kid"]!, findings["signing-keys"].Detail, StringComparison.Ordinal));
        Assert.Contains((string)keys[0]!["masterKeyId"]!, findings["signing-keys"].Mend, StringComparison.Ordinal);
        Assert.Equal("fail", findings["data-protection"].Result);
        Assert.Equal("ok", findings["signing-now"].Result);

        // While changing over it opens, and says what is left to do.
        folder.Environment["IdentityServer__MasterKey__Previous__0__Path"] = $"{folder.Path}/master.key";
        (exitCode, findings) = await ExamineAsync(folder);
        Assert.Equal(0, exitCode);
        Assert.Equal("warn", findings["signing-keys"].Result);
        Assert.Contains("keys master-key rotate", findings["signing-keys"].Mend, StringComparison.Ordinal);
        Assert.Equal("warn", findings["data-protection"].Result);

        File.Delete($"{folder.Path}/two.key");
        (exitCode, findings) = await ExamineAsync(folder);
        Assert.Equal(1, exitCode);
        Assert.Equal("fail", findings["master-key"].Result);
        Assert.Equal("ok", findings["master-key-previous"].Result);
        Assert.Equal("fail", findings["signing-keys"].Result);
        Assert.Equal("ok", findings["clock"].Result);
    }

    [Fact]
    public async Task A_database_that_is_away_does_not_keep_the_rest_from_being_looked_at()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        folder.Environment["IdentityServer__Database__Provider"] = "PostgreSql";
        folder.Environment["IdentityServer__Database__ConnectionString"] =
            $"Host=127.0.0.1;Port={ServerFolder.FreePort()};Database=d;Username=u;Password=hush-hush;Timeout=5";

        var (exitCode, findings) = await ExamineAsync(folder);

        Assert.Equal(1, exitCode);
        Assert.Equal("fail", findings["database"].Result);
        Assert.Equal("ok", findings["master-key"].Result);
        Assert.All(["schema", "signing-keys", "signing-now", "data-protection", "clock"], check => Assert.Equal("warn", findings[check].Result));
        Assert.DoesNotContain(findings.Values, finding => finding.Detail.Contains("hush-hush", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_old_schema_is_told_and_mended_by_a_command()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        await ExecuteAsync(folder, "DELETE FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = (SELECT MAX(\"MigrationId\") FROM \"__EFMigrationsHistory\")");

        var (exitCode, findings) = await ExamineAsync(folder);
        Assert.Equal(1, exitCode);
        Assert.Equal(("ok", "fail"), (findings["database"].Result, findings["schema"].Result));
        Assert.Equal("Run: identityserver migrate up", findings["schema"].Mend);

        await ExecuteAsync(folder, "INSERT INTO \"__EFMigrationsHistory\" VALUES ('99991231000000_Future', '10.0.0')");
        Assert.Contains("99991231000000_Future", (await ExamineAsync(folder)).Findings["schema"].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_expired_fails_and_one_that_will_soon_warns()
    {
        await using var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllBytesAsync($"{folder.Path}/master.pfx", Pfx.Of(key, from: TimeSpan.FromDays(-9), until: TimeSpan.FromDays(-1)), Ct);
        folder.Environment["IdentityServer__MasterKey__Path"] = $"{folder.Path}/master.pfx";
        folder.Environment["IdentityServer__MasterKey__Password"] = Pfx.Password;

        var (exitCode, findings) = await ExamineAsync(folder);
        Assert.Equal(1, exitCode);
        Assert.Equal(("ok", "fail"), (findings["master-key"].Result, findings["master-key-term"].Result));
        Assert.Contains("same private key", findings["master-key-term"].Mend, StringComparison.Ordinal);

        await File.WriteAllBytesAsync($"{folder.Path}/master.pfx", Pfx.Of(key, until: TimeSpan.FromDays(20)), Ct);
        Assert.Equal("warn", (await ExamineAsync(folder)).Findings["master-key-term"].Result);
        await File.WriteAllBytesAsync($"{folder.Path}/master.pfx", Pfx.Of(key), Ct);
        Assert.Equal("ok", (await ExamineAsync(folder)).Findings["master-key-term"].Result);
    }

    [Fact]
    public async Task A_key_file_that_others_can_read_is_told()
    {
        if (OperatingSystem.IsWindows())
        {
            return; // files have no such modes there
        }

        await using var folder = await ServedFolderAsync();
        File.SetUnixFileMode($"{folder.Path}/master.key", UnixFileMode.UserRead | UnixFileMode.OtherRead);

        var (exitCode, findings) = await ExamineAsync(folder);

        Assert.Equal(0, exitCode);
        Assert.Equal("warn", findings["master-key-file"].Result);
        Assert.Equal($"Run: chmod 600 {folder.Path}/master.key", findings["master-key-file"].Mend);
    }

    [Fact]
    public async Task Wrong_settings_are_all_named_and_what_they_do_not_touch_is_looked_at()
    {
        await using var folder = await ServedFolderAsync();
        folder.Environment["IdentityServer__Issuer"] = "http://id.example.com";
        folder.Environment["IdentityServer__Brand__Accent"] = "red";

        var (exitCode, findings) = await ExamineAsync(folder);
        Assert.Equal(1, exitCode);
        Assert.Equal(("fail", "fail"), (findings["settings"].Result, findings["issuer"].Result));
        Assert.Contains("IdentityServer:Brand:Accent", findings["settings"].Detail, StringComparison.Ordinal);
        Assert.All(Checks[2..^2], check => Assert.Equal("ok", findings[check].Result));

        folder.Environment["IdentityServer__Database__Provider"] = "PostgreSql";
        folder.Environment["IdentityServer__Database__ConnectionString"] = "hush-hush";
        folder.Environment["IdentityServer__MasterKey__Value"] = "hush-hush";
        var result = await folder.RunAsync(["doctor", "--json"], null, Ct);
        Assert.Equal(1, result.ExitCode);
        Assert.DoesNotContain("hush-hush", result.Output + result.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_keys_expired_cookies_keys_and_rows_from_the_future_are_told_apart()
    {
        await using var folder = await ServedFolderAsync();
        await ExecuteAsync(folder, "UPDATE \"SigningKeys\" SET \"PublicJwk\" = '{' WHERE \"Algorithm\" = 'ES256'");
        await ExecuteAsync(folder, "UPDATE \"DataProtectionKeys\" SET \"Xml\" = replace(\"Xml\", '<expirationDate>2', '<expirationDate>1')");
        await ExecuteAsync(folder, "UPDATE \"AuditEvents\" SET \"At\" = \"At\" + 600000");

        var (exitCode, findings) = await ExamineAsync(folder);

        Assert.Equal(1, exitCode);
        Assert.Contains("damaged: the public JWK is not JSON", findings["signing-keys"].Detail, StringComparison.Ordinal);
        Assert.Contains("backup", findings["signing-keys"].Mend, StringComparison.Ordinal);
        Assert.Equal(("warn", "Every key has expired."), (findings["data-protection"].Result, findings["data-protection"].Detail));
        Assert.Equal("warn", findings["clock"].Result);
        Assert.Contains("NTP", findings["clock"].Mend, StringComparison.Ordinal);
    }

    private static async Task<ServerFolder> ServedFolderAsync()
    {
        var folder = await ServerFolder.CreateAsync(Ct);
        (await folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        await using var server = await folder.StartAsync(Ct);
        using var http = Browser.CreateClient();

        // The page's form brings a Data Protection key about.
        await new Browser(http).OpenAsync(new Uri(folder.Address, "/login"), Ct);
        return folder;
    }

    private static async Task<(int ExitCode, IReadOnlyDictionary<string, Seen> Findings)> ExamineAsync(ServerFolder folder)
    {
        var result = await folder.RunAsync(["doctor", "--json"], null, Ct);
        var findings = JsonNode.Parse(result.Output)!.AsArray().ToDictionary(
            finding => (string)finding!["check"]!,
            finding => new Seen((string)finding!["result"]!, (string)finding["detail"]!, (string?)finding["mend"]),
            StringComparer.Ordinal);
        Assert.All(findings.Values, finding => Assert.Equal(finding.Result == "ok", finding.Mend is null));
        Assert.Equal(findings.Values.Any(finding => finding.Result == "fail") ? 1 : 0, result.ExitCode);
        return (result.ExitCode, findings);
    }

    private static async Task ExecuteAsync(ServerFolder folder, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={folder.Path}/server.db;Pooling=false");
        await connection.OpenAsync(Ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // written in the test
        command.CommandText = sql;
#pragma warning restore CA2100
        Assert.True(await command.ExecuteNonQueryAsync(Ct) > 0, "Nothing was changed.");
    }

    private sealed record Seen(string Result, string Detail, string? Mend);
}
