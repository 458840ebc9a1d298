using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using IdentityServer.Mail;
using IdentityServer.ProtocolTests.Mail;
using IdentityServer.Testing;
using Microsoft.Data.Sqlite;

namespace IdentityServer.ProtocolTests.Commands;

/// <summary><c>mail status|retry</c>, and servers in processes of their own that mail.</summary>
public sealed class MailCommandTests : IAsyncLifetime
{
    private ServerFolder _folder = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _folder = await ServerFolder.CreateAsync(Ct);
        (await _folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
    }

    public ValueTask DisposeAsync() => _folder.DisposeAsync();

    [Fact]
    public async Task What_waits_was_sent_and_was_given_up_is_shown()
    {
        Execute(
            """
            INSERT INTO "OutboxMails" ("Id", "Subject", "Kind", "Sealed", "CreatedAt", "NextAttemptAt", "Attempts", "SentAt", "DeadAt", "Error") VALUES
            ('waiting', 'sub-1', 'password_reset', 'sealed-content', @now, @now + 60000, 1, NULL, NULL, '451 later'),
            ('sent-1', 'sub-1', 'password_reset', NULL, @now - 1000, NULL, 1, @now, NULL, NULL),
            ('sent-2', 'sub-1', 'password_reset', NULL, @now - 172800000, NULL, 1, @now - 172800000, NULL, NULL),
            ('dead-notice', 'sub-2', 'new_sign_in', 'sealed-content', @now - 1000, NULL, 19, NULL, @now, '550 no such mailbox'),
            ('dead-link', 'sub-2', 'password_reset', NULL, @now - 1000, NULL, 4, NULL, @now - 1, 'Its link expired')
            """);

        var status = (await _folder.RunAsync(["mail", "status", "--json"], null, Ct)).Json;
        Assert.Equal((1, 1, 2), ((int)status["waiting"]!, (int)status["sentInLastDay"]!, (int)status["dead"]!));
        var dead = status["deadMails"]!.AsArray();
        Assert.Equal(
            [("dead-notice", "new_sign_in", 19, true, "550 no such mailbox"), ("dead-link", "password_reset", 4, false, "Its link expired")],
            dead.Select(mail => ((string)mail!["id"]!, (string)mail["kind"]!, (int)mail["attempts"]!, (bool)mail["retry"]!, (string)mail["error"]!)));
        var shown = (await _folder.RunAsync(["mail", "status"], null, Ct)).Successful().Output;
        Assert.Contains("given up              2", shown, StringComparison.Ordinal);
        Assert.DoesNotContain("sealed-content", shown + status.ToJsonString(), StringComparison.Ordinal);

        Assert.Equal(1, (await _folder.RunAsync(["mail", "retry", "dead-link"], null, Ct)).ExitCode);
        Assert.Equal(1, (await _folder.RunAsync(["mail", "retry", "nothing"], null, Ct)).ExitCode);
        Assert.Equal(2, (await InProcess.RunAsync("mail", "retry")).ExitCode);
        Assert.Equal(2, (await InProcess.RunAsync("mail", "retry", "x", "--all")).ExitCode);
        Assert.StartsWith("1 mail(s)", (await _folder.RunAsync(["mail", "retry", "--all"], null, Ct)).Successful().Output, StringComparison.Ordinal);
        Assert.Equal(2, (int)(await _folder.RunAsync(["mail", "status", "--json"], null, Ct)).Json["waiting"]!);
        Assert.Equal("cli", Scalar("""SELECT "Actor" FROM "AuditEvents" WHERE "Type" = 'mail.retried' AND "Subject" = 'sub-2' AND "Detail" = 'new_sign_in'"""));
    }

    [Fact]
    public async Task With_STARTTLS_a_mail_travels_encrypted_to_a_server_that_proves_itself_and_to_no_other()
    {
        var certificate = await MakeCertificateAsync();
        await using var mails = await MailServer.StartAsync(Ct, certificate: certificate, account: ("identity", " a secret "));
        await File.WriteAllTextAsync($"{_folder.Path}/password", " a secret \n", Ct);
        UseMail(mails.Port);
        _folder.Environment["IdentityServer__Mail__Smtp__Tls"] = "StartTls";
        _folder.Environment["IdentityServer__Mail__Smtp__Host"] = "localhost";
        _folder.Environment["IdentityServer__Mail__Smtp__UserName"] = "identity";
        _folder.Environment["IdentityServer__Mail__Smtp__PasswordFile"] = $"{_folder.Path}/password";
        Assert.Equal("ok", (await DoctorAsync("mail")).Result);

        // Its certificate is not one that this machine trusts.
        await QueueAsync();
        await using (await _folder.StartAsync(Ct))
        {
            var error = await UntilAsync("""SELECT "Error" FROM "OutboxMails" WHERE "Error" IS NOT NULL""");
            Assert.Contains("certificate", error, StringComparison.OrdinalIgnoreCase);
            Assert.Empty(mails.TakeRest());
        }

        // Now it is.
        _folder.Environment["SSL_CERT_FILE"] = certificate.Certificate;
        Execute("""UPDATE "OutboxMails" SET "NextAttemptAt" = @now""");
        await using (var server = await _folder.StartAsync(Ct))
        {
            await UntilAsync("""SELECT "Id" FROM "OutboxMails" WHERE "SentAt" IS NOT NULL""", () => server.Log);
            var mail = await mails.ReceiveAsync(Ct);
            Assert.True(mail.WasEncrypted);
            Assert.Equal("identity", mail.User);
        }
    }

    [Fact]
    public async Task A_server_that_offers_no_STARTTLS_gets_no_mail()
    {
        await using var mails = await MailServer.StartAsync(Ct);
        UseMail(mails.Port);
        _folder.Environment["IdentityServer__Mail__Smtp__Tls"] = "StartTls";
        await QueueAsync();

        var finding = await DoctorAsync("mail");
        Assert.Equal("fail", finding.Result);
        Assert.Contains("STARTTLS", finding.Detail, StringComparison.Ordinal);
        await using var server = await _folder.StartAsync(Ct);
        await UntilAsync("""SELECT "Error" FROM "OutboxMails" WHERE "Error" IS NOT NULL""");
        Assert.Empty(mails.TakeRest());
    }

    [Fact]
    public async Task A_mail_that_a_killed_server_was_sending_is_sent_after_the_restart()
    {
        await using var mails = await MailServer.StartAsync(Ct);
        await mails.AnswerAsync("hang", Ct);
        UseMail(mails.Port);
        var id = await QueueAsync();
        await using (var server = await _folder.StartAsync(Ct))
        {
            await UntilAsync("""SELECT "Attempts" FROM "OutboxMails" WHERE "Attempts" = 1""");
            await server.KillAsync(Ct);
        }

        // Its claim runs out; nobody waits for that here.
        Assert.Equal("1", Scalar("""SELECT COUNT(*) FROM "OutboxMails" WHERE "SentAt" IS NULL AND "NextAttemptAt" > @now + 60000"""));
        Execute("""UPDATE "OutboxMails" SET "NextAttemptAt" = @now""");
        await mails.AnswerAsync("accept", Ct);
        await using var again = await _folder.StartAsync(Ct);

        Assert.StartsWith($"<{id}@", (await mails.ReceiveAsync(Ct)).MessageId, StringComparison.Ordinal);
        await UntilAsync("""SELECT "SentAt" FROM "OutboxMails" WHERE "SentAt" IS NOT NULL AND "Sealed" IS NULL""");
    }

    [Fact]
    public async Task Doctor_says_when_mail_is_off_the_mail_server_is_away_or_mails_were_given_up()
    {
        var finding = await DoctorAsync("mail");
        Assert.Equal("warn", finding.Result);
        Assert.Contains("IdentityServer:Mail:Smtp:Host", finding.Mend, StringComparison.Ordinal);
        Assert.Equal("ok", (await DoctorAsync("mail-outbox")).Result);

        UseMail(ServerFolder.FreePort());
        finding = await DoctorAsync("mail");
        Assert.Equal("fail", finding.Result);

        Execute("""INSERT INTO "OutboxMails" ("Id", "Kind", "CreatedAt", "Attempts", "DeadAt") VALUES ('d', 'new_sign_in', @now, 9, @now)""");
        Assert.Equal("warn", (await DoctorAsync("mail-outbox")).Result);
        await using var mails = await MailServer.StartAsync(Ct);
        UseMail(mails.Port);
        Assert.Equal("ok", (await DoctorAsync("mail")).Result);

        _folder.Environment["IdentityServer__Mail__Smtp__PasswordFile"] = $"{_folder.Path}/no-such-file";
        _folder.Environment["IdentityServer__Mail__Smtp__UserName"] = "identity";
        Assert.Equal("fail", (await DoctorAsync("mail")).Result);
    }

    private void UseMail(int port)
    {
        _folder.Environment["IdentityServer__Mail__From"] = "id@example.com";
        _folder.Environment["IdentityServer__Mail__Smtp__Host"] = "127.0.0.1";
        _folder.Environment["IdentityServer__Mail__Smtp__Port"] = port.ToString(CultureInfo.InvariantCulture);
        _folder.Environment["IdentityServer__Mail__Smtp__Tls"] = "None";
    }

    private async Task<string> QueueAsync() =>
        (await QueuedMail.AddAsync(_folder, Ct, (MailKind.PasswordChanged, new())))[0];

    private async Task<(string Result, string Detail, string? Mend)> DoctorAsync(string check)
    {
        var findings = JsonNode.Parse((await _folder.RunAsync(["doctor", "--json"], null, Ct)).Output)!.AsArray();
        var finding = findings.Single(finding => (string)finding!["check"]! == check)!;
        return ((string)finding["result"]!, (string)finding["detail"]!, (string?)finding["mend"]);
    }

    private async Task<(string Certificate, string Key)> MakeCertificateAsync()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        var (path, keyPath) = ($"{_folder.Path}/mail.pem", $"{_folder.Path}/mail.key");
        await File.WriteAllTextAsync(path, certificate.ExportCertificatePem(), Ct);
        await File.WriteAllTextAsync(keyPath, key.ExportPkcs8PrivateKeyPem(), Ct);
        return (path, keyPath);
    }

    private async Task<string> UntilAsync(string query, Func<string>? log = null)
    {
        for (var look = 0; look < 1500; look++)
        {
            if (Scalar(query) is { } value)
            {
                return value;
            }

            await Task.Delay(20, Ct);
        }

        throw new CheckFailedException($"Never: {query}\n{log?.Invoke()}");
    }

    private void Execute(string sql) => Scalar(sql);

    private string? Scalar(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_folder.Path}/server.db;Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // statements of this class
        command.CommandText = sql;
#pragma warning restore CA2100
        command.Parameters.AddWithValue("@now", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        return command.ExecuteScalar() is { } value and not DBNull ? Convert.ToString(value, CultureInfo.InvariantCulture) : null;
    }
}
