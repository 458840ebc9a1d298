using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using IdentityServer.Testing;
using Microsoft.Data.Sqlite;

namespace IdentityServer.ProtocolTests.Logout;

/// <summary>Servers in processes of their own, as in production: https, and SIGKILL.</summary>
public sealed class KilledServerTests : IAsyncLifetime
{
    private const string Callback = "https://rp.example/callback";

    private readonly int _port = ServerFolder.FreePort();
    private readonly Person _alice = new("alice", "nine lilac umbrellas wait");
    private readonly HttpClient _http = Browser.CreateClient(TimeSpan.FromSeconds(20));
    private ServerFolder _folder = null!;
    private LogoutReceiver _receiver = null!;
    private string _secret = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _folder = await ServerFolder.CreateAsync(Ct);
        using var certificate = LogoutReceiver.MakeCertificate();
        var trusted = $"{_folder.Path}/trusted.pem";
        await File.WriteAllTextAsync(trusted, certificate.ExportCertificatePem(), Ct);
        _folder.Environment["SSL_CERT_FILE"] = trusted;
        _receiver = await LogoutReceiver.StartAsync(
            _port, Ct, X509CertificateLoader.LoadPkcs12(
                certificate.Export(X509ContentType.Pfx), null));
        (await _folder.RunAsync(["migrate", "up"], null, Ct)).Expect();
        (await _folder.RunAsync(
            ["users", "add", _alice.UserName, "--email", "alice@example.com", "--password-stdin"], _alice.Password, Ct)).Expect();
        _secret = (string)(await _folder.RunAsync(
            ["clients", "add", "app", "--type", "web", "--redirect-uri", Callback, "--no-consent", "--backchannel-logout-uri", _receiver.Address, "--json"],
            null,
            Ct)).Json["client_secret"]!;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _receiver.DisposeAsync();
        await _folder.DisposeAsync();
    }

    [Fact]
    public async Task What_a_killed_server_was_telling_is_told_after_the_restart_with_the_same_id()
    {
        _receiver.Hang();
        Told first;
        await using (var server = await _folder.StartAsync(Ct))
        {
            await SignInAndOutAsync();
            first = await _receiver.ReceiveAsync(Ct);
            await server.KillAsync(Ct);
        }

        // Its claim runs out; nobody waits for that here.
        Assert.Equal("1", Scalar("""SELECT COUNT(*) FROM "LogoutNotices" WHERE "DeliveredAt" IS NULL AND "NextAttemptAt" > @now"""));
        Execute("""UPDATE "LogoutNotices" SET "NextAttemptAt" = @now""");
        _receiver.AnswerWith(200);
        await using var again = await _folder.StartAsync(Ct);

        Assert.Equal(first.Jti, (await _receiver.ReceiveAsync(Ct)).Jti);
        await UntilAsync("""SELECT "Id" FROM "LogoutNotices" WHERE "DeliveredAt" IS NOT NULL AND "Attempts" = 2""");
        var status = (await _folder.RunAsync(["logout", "status", "--json"], null, Ct)).Json;
        Assert.Equal((0, 0, 1, 0), ((int)status["untold"]!, (int)status["waiting"]!, (int)status["deliveredInLastDay"]!, (int)status["dead"]!));
    }

    [Fact]
    public async Task What_ended_while_no_server_ran_is_told_when_one_starts()
    {
        string sid;
        await using (var server = await _folder.StartAsync(Ct))
        {
            sid = (await SignInAsync(new Browser(_http))).IdToken!["sid"]!;
        }

        // The transaction is there, its notices are not: as after a kill between the two.
        (await _folder.RunAsync(["users", "disable", _alice.UserName, "--reason", "test"], null, Ct)).Expect();
        Assert.Equal("1", Scalar("""SELECT COUNT(*) FROM "Receipts" WHERE "NotifiedAt" IS NULL"""));
        Assert.Equal("0", Scalar("""SELECT COUNT(*) FROM "LogoutNotices" """));
        await using var again = await _folder.StartAsync(Ct);

        Assert.Equal(sid, (await _receiver.ReceiveAsync(Ct)).Token!["sid"]);
        await UntilAsync("""SELECT "Id" FROM "Receipts" WHERE "NotifiedAt" IS NOT NULL""");
    }

    [Fact]
    public async Task What_was_given_up_is_shown_and_a_running_server_tries_it_once_more()
    {
        Execute(
            """
            INSERT INTO "LogoutNotices" ("Id", "ReceiptId", "ClientId", "Subject", "SessionId", "CreatedAt", "NextAttemptAt", "Attempts", "DeliveredAt", "DeadAt", "Error") VALUES
            ('dead-1', 'r', 'app', 'sub', 'sid-1', @now - 90000000, NULL, 35, NULL, @now - 1000, 'status_500'),
            ('dead-2', 'r', 'app', 'sub', 'sid-2', @now - 90000000, NULL, 35, NULL, @now - 2000, 'timeout'),
            ('waits', 'r', 'app', 'sub', 'sid-3', @now - 60000, @now + 60000000, 2, NULL, NULL, 'tls')
            """);

        var status = (await _folder.RunAsync(["logout", "status", "--json"], null, Ct)).Json;
        Assert.Equal((1, 2), ((int)status["waiting"]!, (int)status["dead"]!));
        Assert.Equal(
            [("dead-1", "app", "sid-1", 35, "status_500"), ("dead-2", "app", "sid-2", 35, "timeout")],
            status["deadNotices"]!.AsArray().Select(Described));
        Assert.Contains("status_500", (await _folder.RunAsync(["logout", "status"], null, Ct)).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await _folder.RunAsync(["logout", "retry"], null, Ct)).ExitCode);
        Assert.Equal(1, (await _folder.RunAsync(["logout", "retry", "waits"], null, Ct)).ExitCode);
        Assert.Contains("1 notice(s)", (await _folder.RunAsync(["logout", "retry", "dead-1"], null, Ct)).Output, StringComparison.Ordinal);

        await using var server = await _folder.StartAsync(Ct);
        Assert.Equal("dead-1", (await _receiver.ReceiveAsync(Ct)).Jti);
        (await _folder.RunAsync(["logout", "retry", "--all"], null, Ct)).Expect();
        Assert.Equal("dead-2", (await _receiver.ReceiveAsync(Ct)).Jti);
    }

    private static (string, string, string, int, string) Described(JsonNode? notice) => (
        (string)notice!["id"]!, (string)notice["client_id"]!, (string)notice["sid"]!, (int)notice["attempts"]!, (string)notice["error"]!);

    private async Task<TokenAnswer> SignInAsync(Browser browser)
    {
        var app = await AppAsync();
        return await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt(), _alice, Ct), Ct);
    }

    private async Task SignInAndOutAsync()
    {
        var browser = new Browser(_http);
        var token = (await SignInAsync(browser)).IdToken!;
        await browser.OpenAsync((await AppAsync()).EndSessionAddress(("id_token_hint", token.Text)), Ct);
    }

    private async Task<RelyingParty> AppAsync() => new()
    {
        Http = _http,
        Provider = await OpenIdProvider.DiscoverAsync(_http, _folder.Issuer, Ct),
        Clock = TimeProvider.System,
        ClientId = "app",
        Secret = _secret,
        RedirectUri = Callback,
    };

    private async Task UntilAsync(string query)
    {
        for (var look = 0; look < 1500; look++)
        {
            if (Scalar(query) is not null)
            {
                return;
            }

            await Task.Delay(20, Ct);
        }

        throw new CheckFailedException($"It never came to that: {query}");
    }

    private string? Scalar(string query)
    {
        using var connection = Open();
        using var command = CommandOf(connection, query);
        return command.ExecuteScalar()?.ToString();
    }

    private void Execute(string statement)
    {
        using var connection = Open();
        using var command = CommandOf(connection, statement);
        command.ExecuteNonQuery();
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={_folder.Path}/server.db;Pooling=False");
        connection.Open();
        return connection;
    }

    private static SqliteCommand CommandOf(SqliteConnection connection, string text)
    {
        var command = connection.CreateCommand();
#pragma warning disable CA2100 // texts of this file
        command.CommandText = text;
#pragma warning restore CA2100
        command.Parameters.AddWithValue("@now", TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());
        return command;
    }
}
