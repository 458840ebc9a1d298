using System.Net;
using IdentityServer.ProtocolTests.Account;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Revocations;

/// <summary>
/// Every way that something ends, against everything that may hang on it. The table is the one in docs/revocation.md: each row is a test,
/// each cell is tried as whoever has stolen the thing would try it.
/// </summary>
public abstract class MatrixTests(MatrixServer world)
{
    private const string NewPassword = "seven violet anchors rest";

    private static readonly string[] _things =
        ["session cookie", "code", "refresh token", "offline refresh token", "reference token", "JWT at introspection", "JWT at UserInfo", "JWT at an API"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static TheoryData<string> Events => [.. DocumentedRows().Select(row => row.Event)];

    [Theory, MemberData(nameof(Events))]
    public async Task What_ends_is_dead_everywhere_and_what_does_not_is_alive(string what)
    {
        var name = "m" + Guid.NewGuid().ToString("N")[..12];
        var stolen = await StealAsync(name);
        Assert.All(await LookAsync(stolen, spend: false), alive => Assert.True(alive));
        var expected = DocumentedRows().Single(row => row.Event == what).Ends;

        await HappenAsync(what, stolen);

        var alive = await LookAsync(stolen, spend: true);
        Assert.Equal(
            _things.Zip(expected, (thing, ends) => $"{thing}: {(ends ? "dead" : "alive")}"),
            _things.Zip(alive, (thing, lives) => $"{thing}: {(lives ? "alive" : "dead")}"));
    }

    [Fact]
    public void The_page_has_a_column_for_each_thing() =>
        Assert.Equal(_things, Header().Select(cell => cell));

    private async Task HappenAsync(string what, Stolen stolen)
    {
        var server = world.Server;
        switch (what)
        {
            case "signing out":
                var page = await stolen.Browser.OpenAsync(stolen.App.EndSessionAddress(("id_token_hint", (string)stolen.Tokens.Json["id_token"]!)), Ct);
                Assert.Null(page.SignInForm);
                break;
            case "signing out of the app alone":
                page = await stolen.Browser.OpenAsync(stolen.App.EndSessionAddress(("client_id", stolen.App.ClientId)), Ct);
                var form = page.Forms.Single(form => form.QuerySelector("#reach-app") is not null);
                page = await stolen.Browser.SubmitAsync(
                    page, form, new Dictionary<string, string?>(StringComparer.Ordinal) { ["reach"] = "app" }, Browser.Buttons(form).First(), Ct);
                Assert.Contains("You are signed out of", page.Text, StringComparison.Ordinal);
                break;
            case "an admin ends the session":
                await world.CallAsync("DELETE", $"/sessions/{stolen.Tokens.IdToken!["sid"]}");
                break;
            case "an admin ends all of the person":
                await world.CallAsync("DELETE", $"/sessions?person={stolen.Person.UserName}");
                break;
            case "an admin ends everything":
                await world.CallAsync("DELETE", "/sessions?all=true");
                break;
            case "an admin ends all of the app":
                await world.CallAsync("DELETE", $"/grants?client={stolen.App.ClientId}");
                break;
            case "the person ends the session elsewhere":
                var (browser, account) = await EnterAsync(stolen.Person, "/account");
                await AccountServer.SendAsync(browser, account, "EndSession");
                break;
            case "the person removes the app":
                (browser, account) = await EnterAsync(stolen.Person, "/account");
                await AccountServer.SendAsync(browser, account, "RemoveApp");
                break;
            case "a new password":
                (browser, account) = await EnterAsync(stolen.Person, "/account/password");
                account = await browser.SubmitAsync(
                    account,
                    account.Forms.First(),
                    new Dictionary<string, string?>(StringComparer.Ordinal) { ["current-password"] = stolen.Person.Password, ["new-password"] = NewPassword },
                    null,
                    Ct);
                Assert.Contains("Your password was changed", account.Text, StringComparison.Ordinal);
                break;
            case "a password reset by mail":
                await ResetAsync(stolen.Person);
                break;
            case "support resets the second factors":
                await world.CallAsync("POST", $"/people/{stolen.Subject}/reset-factors");
                break;
            case "the person is disabled":
                await world.CallAsync("POST", $"/people/{stolen.Subject}/disable");
                break;
            case "a refresh token is used twice":
                var spent = stolen.Tokens.RefreshToken!;
                stolen.Refresh = (await stolen.App.RefreshAsync(spent, Ct)).RefreshToken!;
                server.Clock.Advance(TimeSpan.FromSeconds(15));
                Assert.Equal("invalid_grant", (await stolen.App.RefreshAsync(spent, Ct)).Error);
                break;
            case "a code is used twice":
                Assert.Equal("invalid_grant", (await stolen.App.RedeemAsync(stolen.Walk, Ct)).Error);
                break;
            case "the app revokes its refresh token":
                Assert.Equal(200, (await stolen.App.RevokeAsync(stolen.Tokens.RefreshToken!, Ct)).Status);
                break;
            case "the app is removed":
                Assert.True(await server.RemoveClientAsync(stolen.App.ClientId, Ct));
                break;
            case "the app is disabled":
                Assert.True(await server.DisableClientAsync(stolen.App.ClientId, Ct));
                break;
            case "a secret of the app is revoked":
                stolen.App = await RotateSecretAsync(stolen.App);
                break;
            case "a signing key is compromised":
                await world.CallAsync("POST", $"/keys/{Jwt.Parse(stolen.Tokens.AccessToken!).Header["kid"]}/compromise");
                break;
            default:
                Assert.Fail($"The page tells of “{what}”, which nobody tries.");
                break;
        }

        await server.Services.GetRequiredService<Protocol.Changes.ChangeFeed>().PollAsync(Ct);
    }

    /// <summary>Whether each thing still works; <paramref name="spend"/>: tried for good, otherwise only what can be tried again.</summary>
    private async Task<bool[]> LookAsync(Stolen stolen, bool spend)
    {
        return
        [
            (await stolen.Browser.OpenAsync(new Uri(world.Server.Address, "/account"), Ct)).Address.AbsolutePath == "/account",
            !spend || (await stolen.App.RedeemAsync(stolen.Unredeemed, Ct)).Error is null,
            !spend || (await stolen.App.RefreshAsync(stolen.Refresh, Ct)).Error is null,
            !spend || (await stolen.App.RefreshAsync(stolen.Offline.RefreshToken!, Ct)).Error is null,
            (await world.Follower.IntrospectAsync(stolen.Reference, Ct)).IsActive,
            (await world.Follower.IntrospectAsync(stolen.Tokens.AccessToken!, Ct)).IsActive,
            (await stolen.App.UserInfoAsync(stolen.Tokens.AccessToken!, Ct)).Status == 200,
            await IsTakenByApiAsync(stolen.Tokens.AccessToken!, isFinal: spend),
        ];
    }

    /// <summary>
    /// The feed takes a moment, and an API that has heard nothing for a while answers nobody. What is alive at last is looked at for two
    /// seconds, so that it is not alive by being early.
    /// </summary>
    private async Task<bool> IsTakenByApiAsync(string token, bool isFinal)
    {
        var status = HttpStatusCode.ServiceUnavailable;
        for (var looks = 0; looks < 40 && (status == HttpStatusCode.ServiceUnavailable || (isFinal && status == HttpStatusCode.OK)); looks++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), Ct);
            status = (await world.Api.CallAsync(token, Ct)).Status;
        }

        return status == HttpStatusCode.OK;
    }

    private async Task<Stolen> StealAsync(string name)
    {
        var server = world.Server;
        var app = await world.AddAppAsync(name, Protocol.Clients.TokenFormat.Jwt);
        var other = await world.AddAppAsync(name + "-reference", Protocol.Clients.TokenFormat.Reference);
        var person = await server.GiveAppAsync(await server.AddPersonAsync(name, Ct), Ct);
        server.Clock.Advance(TimeSpan.FromSeconds(30));
        var browser = new Browser(server.Http);
        var walk = await app.AuthorizeAsync(browser, app.Attempt("openid orders.read"), person, Ct);
        var tokens = await app.ExchangeAsync(walk, Ct);
        var offline = await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt("openid offline_access orders.read"), person, Ct), Ct);
        var reference = await other.ExchangeAsync(await other.AuthorizeAsync(browser, other.Attempt("openid orders.read"), person, Ct), Ct);
        var unredeemed = await app.AuthorizeAsync(browser, app.Attempt("openid orders.read"), person, Ct);
        return new Stolen(app, person, tokens.IdToken!["sub"]!, browser, walk, tokens, offline, reference.AccessToken!, unredeemed);
    }

    private async Task<(Browser Browser, Page Page)> EnterAsync(Person person, string path)
    {
        var browser = new Browser(world.Server.Http);
        world.Server.Clock.Advance(TimeSpan.FromSeconds(30));
        var page = await browser.SignInAsync(await browser.OpenAsync(new Uri(world.Server.Address, "/account"), Ct), person, Ct);
        return (browser, path == "/account" ? page : await browser.OpenAsync(new Uri(world.Server.Address, path), Ct));
    }

    /// <summary>As <c>clients rotate-secret --expire-old 0</c> does; whoever has the old one can do nothing with it.</summary>
    private async Task<RelyingParty> RotateSecretAsync(RelyingParty app)
    {
        var store = world.Server.Services.GetRequiredService<Protocol.Clients.IClientStore>();
        var client = (await store.FindAsync(app.ClientId, Ct))!;
        var secret = Protocol.Handle.Create();
        var now = world.Server.Clock.GetUtcNow();
        var audit = new Protocol.Audit.AuditEvent(Protocol.Audit.AuditTypes.ClientChanged, now) { Actor = "test", ClientId = app.ClientId };
        Assert.True(await store.UpdateAsync(
            client with { Secrets = [new Protocol.Clients.ClientSecret(Protocol.Handle.NewId(), secret.Hash, now, null)] }, audit, Ct));
        await world.Server.Services.GetRequiredService<Protocol.Changes.ChangeFeed>().PollAsync(Ct);
        Assert.Equal("invalid_client", (await app.RefreshAsync("any", Ct)).Error);
        return app with { Secret = secret.Text };
    }

    private async Task ResetAsync(Person person)
    {
        var browser = new Browser(world.Server.Http);
        var page = await browser.OpenAsync(new Uri(world.Server.Address, "/forgot-password"), Ct);
        var form = page.Forms.Single();
        await browser.SubmitAsync(
            page,
            form,
            new Dictionary<string, string?>(StringComparer.Ordinal) { ["username"] = person.UserName },
            Browser.Buttons(form).Single(button => button.GetAttribute("value") == "reset"),
            Ct);
        ReceivedMail mail;
        do
        {
            mail = await world.Mails.ReceiveAsync(person.UserName + "@example.com", Ct);
        }
        while (!mail.Text.Contains("/reset-password?code=", StringComparison.Ordinal));

        page = await browser.OpenAsync(mail.LinkTo("/reset-password"), Ct);
        page = await browser.SubmitAsync(
            page, page.Forms.Single(), new Dictionary<string, string?>(StringComparer.Ordinal) { ["new-password"] = NewPassword }, null, Ct);
        Assert.Empty(page.Document.QuerySelectorAll("[aria-invalid=true]"));
    }

    private static IEnumerable<string> Header() => Cells(Table().First()).Skip(1);

    private static IEnumerable<(string Event, bool[] Ends)> DocumentedRows() => Table().Skip(2).Select(line =>
    {
        var cells = Cells(line).ToArray();
        return (cells[0], cells[1..].Select(cell => cell switch
        {
            "ends" => true,
            "goes on" => false,
            _ => throw new CheckFailedException($"“{cell}” is neither “ends” nor “goes on”."),
        }).ToArray());
    });

    private static IEnumerable<string> Table() => File.ReadLines(Path.Combine(Repository.Root, "docs/revocation.md"))
        .SkipWhile(line => !line.StartsWith("| what happens ", StringComparison.Ordinal))
        .TakeWhile(line => line.StartsWith('|'));

    private static IEnumerable<string> Cells(string line) => line.Trim('|').Split('|').Select(cell => cell.Trim());

    private sealed record Stolen(
        RelyingParty App,
        Person Person,
        string Subject,
        Browser Browser,
        AuthorizationWalk Walk,
        TokenAnswer Tokens,
        TokenAnswer Offline,
        string Reference,
        AuthorizationWalk Unredeemed)
    {
        public string Refresh { get; set; } = Tokens.RefreshToken!;

        public RelyingParty App { get; set; } = App;
    }
}

public sealed class MatrixOnSqlite(MatrixServer world) : MatrixTests(world), IClassFixture<MatrixServer>;

public sealed class MatrixOnPostgreSql(PostgresMatrixServer world) : MatrixTests(world), IClassFixture<PostgresMatrixServer>;
