using System.Globalization;
using System.Text.Json.Nodes;
using IdentityServer.Protocol.Audit;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Admin;

/// <summary>Seeing and ending sessions and grants over the admin API, and the receipts.</summary>
public sealed class SessionsApiTests(AdminServer admin) : IClassFixture<AdminServer>
{
    private const string Reason = """{"reason":"laptop reported stolen, ticket 5512"}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_is_listed_and_ended_with_all_that_was_given_in_it_and_a_receipt_says_so()
    {
        var person = await AddAsync();
        var bound = await admin.App.SignInAsync(person, "openid", Ct);
        var other = await admin.App.SignInAsync(person, "openid offline_access", Ct);
        var sessions = (await CallAsync("GET", $"/sessions?person={person.UserName}")).Json!["sessions"]!.AsArray();
        Assert.Equal(2, sessions.Count);
        var listed = sessions.Single(session => (string)session!["sid"]! == (string)bound.IdToken!["sid"]!)!;
        Assert.Equal((person.UserName, "127.0.0.1", "keys-app"), ((string)listed["userName"]!, (string)listed["address"]!, (string)listed["clients"]![0]!));

        var ended = await CallAsync("DELETE", $"/sessions/{bound.IdToken!["sid"]}", Reason);

        Assert.Equal(200, ended.Status);
        var receipt = (await CallAsync("GET", $"/receipts/{ended.Json!["receipts"]![0]}")).Json!;
        Assert.Equal($"/admin/api/v1/receipts/{receipt["id"]}", ended.Response.Headers.Location!.OriginalString);
        Assert.Equal(("session", "client:keys-service", "laptop reported stolen, ticket 5512"),
            ((string)receipt["kind"]!, (string)receipt["actor"]!, (string)receipt["note"]!));
        Assert.Equal((1, 1), ((int)receipt["sessions"]!, (int)receipt["grants"]!));
        Assert.Equal(
            admin.Server.Clock.GetUtcNow() + TimeSpan.FromMinutes(10),
            DateTimeOffset.Parse((string)receipt["exposedUntil"]!, CultureInfo.InvariantCulture));
        Assert.False((await admin.App.IntrospectAsync(bound.AccessToken!, Ct)).IsActive);
        Assert.True((await admin.App.IntrospectAsync(other.AccessToken!, Ct)).IsActive);
        (await CallAsync("DELETE", $"/sessions/{bound.IdToken["sid"]}", Reason)).IsProblem(409, "nothing_to_do");
        var audit = Assert.Single(
            await admin.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(10, Ct), audit => audit.Type == AuditTypes.SessionEnded);
        Assert.Equal("ended_by_admin: laptop reported stolen, ticket 5512", audit.Detail);
    }

    [Fact]
    public async Task All_of_a_person_ends_and_what_comes_after_it_lives()
    {
        var person = await AddAsync();
        var before = await admin.App.SignInAsync(person, "openid offline_access", Ct);

        Assert.Equal(200, (await CallAsync("DELETE", $"/sessions?person={person.UserName}", Reason)).Status);
        var after = await admin.App.SignInAsync(person, "openid offline_access", Ct);

        Assert.Equal("invalid_grant", (await admin.App.RefreshAsync(before.RefreshToken!, Ct)).Error);
        Assert.False((await admin.App.IntrospectAsync(before.AccessToken!, Ct)).IsActive);
        Assert.Equal(401, (await admin.App.UserInfoAsync(before.AccessToken!, Ct)).Status);
        Assert.True((await admin.App.IntrospectAsync(after.AccessToken!, Ct)).IsActive);
        Assert.Null((await admin.App.RefreshAsync(after.RefreshToken!, Ct)).Error);
        Assert.True((long)Jwt.Parse(after.AccessToken!).Claims["epoch"]! > 0);
        Assert.Single((await CallAsync("GET", $"/grants?person={person.UserName}")).Json!["grants"]!.AsArray());
    }

    [Fact]
    public async Task All_that_an_app_was_given_ends_and_people_stay_signed_in()
    {
        var app = await admin.Server.AddWebAppAsync("ended-app", Ct, client => client with { RequireConsent = false });
        var person = await AddAsync();
        var browser = new Browser(app.Http);
        var tokens = await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt("openid offline_access"), person, Ct), Ct);

        Assert.Equal(200, (await CallAsync("DELETE", "/grants?client=ended-app", Reason)).Status);

        Assert.Equal("invalid_grant", (await app.RefreshAsync(tokens.RefreshToken!, Ct)).Error);
        Assert.False((await app.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        var again = await app.ExchangeAsync(await app.AuthorizeAsync(browser, app.Attempt("openid offline_access").With("prompt", "none"), null, Ct), Ct);
        Assert.True((await app.IntrospectAsync(again.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task What_a_person_gave_an_app_ends_with_the_consent()
    {
        var person = await AddAsync();
        var tokens = await admin.App.SignInAsync(person, "openid offline_access", Ct);

        Assert.Equal(200, (await CallAsync("DELETE", $"/grants?client=keys-app&person={person.UserName}", Reason)).Status);

        Assert.Equal("invalid_grant", (await admin.App.RefreshAsync(tokens.RefreshToken!, Ct)).Error);
        (await CallAsync("DELETE", $"/grants?client=keys-app&person={person.UserName}", Reason)).IsProblem(409, "nothing_to_do");
    }

    [Fact]
    public async Task Sessions_opened_before_an_instant_end_and_later_ones_do_not()
    {
        await using var world = await ServerOfItsOwnAsync();
        var old = await world.SignInAsync();
        world.Server.Clock.Advance(TimeSpan.FromMinutes(2));
        var instant = world.Server.Clock.GetUtcNow();
        world.Server.Clock.Advance(TimeSpan.FromMinutes(2));
        var young = await world.SignInAsync();

        var ended = await world.Admin.CallAsync("DELETE", $"/sessions?before={AdminServer.Text(instant)}", Reason, await world.TokenAsync(), Ct);

        Assert.Equal(1, (int)ended.Json!["ended"]!);
        Assert.False((await world.Admin.App.IntrospectAsync(old.AccessToken!, Ct)).IsActive);
        Assert.True((await world.Admin.App.IntrospectAsync(young.AccessToken!, Ct)).IsActive);
        (await world.Admin.CallAsync("DELETE", $"/sessions?before={AdminServer.Text(instant)}", Reason, await world.TokenAsync(), Ct))
            .IsProblem(409, "nothing_to_do");
    }

    [Fact]
    public async Task Everything_ends_at_once_but_what_is_asked_for_afterwards()
    {
        await using var world = await ServerOfItsOwnAsync();
        var tokens = await world.SignInAsync();
        var service = await world.Admin.TokenAsync(Ct);

        Assert.Equal(200, (await world.Admin.CallAsync("DELETE", "/sessions?all=true", Reason, await world.TokenAsync(), Ct)).Status);

        Assert.False((await world.Admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        Assert.Equal("invalid_grant", (await world.Admin.App.RefreshAsync(tokens.RefreshToken!, Ct)).Error);
        (await world.Admin.CallAsync("GET", "/keys", null, "Bearer " + service, Ct)).IsProblem(401, "invalid_token");
        Assert.Equal(200, (await world.Admin.GetAsync("/keys", Ct)).Status);
    }

    [Fact]
    public async Task Lists_go_on_where_they_stopped()
    {
        await using var world = await ServerOfItsOwnAsync();
        for (var i = 0; i < 5; i++)
        {
            world.Server.Clock.Advance(TimeSpan.FromSeconds(i % 2));
            await world.SignInAsync();
        }

        foreach (var list in new[] { "sessions", "grants" })
        {
            var seen = new List<string>();
            string? cursor = null;
            do
            {
                var page = (await world.Admin.CallAsync(
                    "GET", $"/{list}?person={world.Person.UserName}&limit=2" + (cursor is null ? "" : "&cursor=" + cursor), null, await world.TokenAsync(), Ct)).Json!;
                seen.AddRange(page[list]!.AsArray().Select(item => (string)item![list == "sessions" ? "sid" : "gid"]!));
                cursor = (string?)page["next"];
            }
            while (cursor is not null);

            Assert.Equal(5, seen.Distinct(StringComparer.Ordinal).Count());
            Assert.Equal(5, seen.Count);
        }
    }

    [Fact]
    public async Task Support_ends_what_one_person_has_and_not_what_many_have()
    {
        var sam = await admin.Server.GiveAppAsync(await AddAsync("support"), Ct);
        var person = await AddAsync();
        await admin.App.SignInAsync(person, "openid", Ct);
        admin.Server.Clock.Advance(TimeSpan.FromSeconds(30));
        var token = "Bearer " + (await admin.App.SignInAsync(sam, "openid admin:sessions", Ct)).AccessToken;

        Assert.Equal(200, (await admin.CallAsync("DELETE", $"/sessions?person={person.UserName}", Reason, token, Ct)).Status);
        foreach (var path in new[] { "/sessions?all=true", "/sessions?client=keys-app", "/grants?client=keys-app", "/sessions?before=2026-01-01T00:00:00Z" })
        {
            (await admin.CallAsync("DELETE", path, Reason, token, Ct)).IsProblem(403, "no_role");
        }
    }

    [Fact]
    public async Task A_proof_that_is_old_ends_nothing()
    {
        var boss = await admin.Server.GiveAppAsync(await AddAsync("admin"), Ct);
        admin.Server.Clock.Advance(TimeSpan.FromSeconds(30));
        var tokens = await admin.App.SignInAsync(boss, "openid offline_access admin:sessions", Ct);
        admin.Server.Clock.Advance(TimeSpan.FromMinutes(16));
        var token = "Bearer " + (await admin.App.RefreshAsync(tokens.RefreshToken!, Ct)).AccessToken;

        (await admin.CallAsync("DELETE", "/sessions?all=true", Reason, token, Ct)).IsProblem(401, "insufficient_user_authentication");
        Assert.Equal(200, (await admin.CallAsync("GET", "/sessions", null, token, Ct)).Status);
    }

    [Theory]
    [InlineData("DELETE", "/sessions", Reason, 400, "invalid_request")]
    [InlineData("DELETE", "/sessions?all=false", Reason, 400, "invalid_request")]
    [InlineData("DELETE", "/sessions?all=true&client=keys-app", Reason, 400, "invalid_request")]
    [InlineData("DELETE", "/sessions?all=true", null, 400, "invalid_request")]
    [InlineData("DELETE", "/sessions?all=true", """{"reason":""}""", 400, "invalid_request")]
    [InlineData("DELETE", "/sessions?before=yesterday", Reason, 400, "invalid_request")]
    [InlineData("DELETE", "/sessions?before=2999-01-01T00:00:00Z", Reason, 409, "in_the_future")]
    [InlineData("DELETE", "/sessions?person=nobody-at-all", Reason, 404, "unknown_person")]
    [InlineData("DELETE", "/sessions?client=nothing", Reason, 404, "unknown_client")]
    [InlineData("DELETE", "/sessions/nothing", Reason, 404, "unknown_session")]
    [InlineData("DELETE", "/grants/nothing", Reason, 404, "unknown_grant")]
    [InlineData("DELETE", "/grants", Reason, 400, "invalid_request")]
    [InlineData("DELETE", "/grants?client=nothing", Reason, 404, "unknown_client")]
    [InlineData("GET", "/sessions?limit=0", null, 400, "invalid_request")]
    [InlineData("GET", "/sessions?limit=201", null, 400, "invalid_request")]
    [InlineData("GET", "/sessions?cursor=%2500", null, 400, "invalid_request")]
    [InlineData("GET", "/sessions?since=soon", null, 400, "invalid_request")]
    [InlineData("GET", "/sessions?person=nobody-at-all", null, 404, "unknown_person")]
    [InlineData("GET", "/receipts?cursor=nothing", null, 400, "invalid_request")]
    [InlineData("GET", "/receipts/nothing", null, 404, "unknown_receipt")]
    [InlineData("POST", "/sessions", Reason, 405, "method_not_allowed")]
    public async Task What_cannot_be_done_is_refused_with_a_reason(string method, string path, string? body, int status, string code) =>
        (await CallAsync(method, path, body)).IsProblem(status, code);

    [Fact]
    public async Task A_reason_of_ten_thousand_letters_is_too_long() =>
        (await CallAsync("DELETE", "/sessions?all=true", $$"""{"reason":"{{new string('x', 10_000)}}"}""")).IsProblem(400, "invalid_request");

    private async Task<AdminReply> CallAsync(string method, string path, string? body = null)
    {
        var token = (await admin.Service.ClientCredentialsAsync("admin:sessions", Ct)).AccessToken;
        return await admin.CallAsync(method, path, body, "Bearer " + token, Ct);
    }

    private Task<Person> AddAsync(params string[] roles) =>
        admin.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct, roles);

    private static async Task<World> ServerOfItsOwnAsync()
    {
        var admin = new AdminServer();
        await admin.InitializeAsync();
        return new World(admin, await admin.Server.AddPersonAsync("nora", Ct));
    }

    private sealed record World(AdminServer Admin, Person Person) : IAsyncDisposable
    {
        public ServerFixture Server => Admin.Server;

        public Task<TokenAnswer> SignInAsync() => Admin.App.SignInAsync(Person, "openid offline_access", Ct);

        public async Task<string> TokenAsync() => "Bearer " + (await Admin.Service.ClientCredentialsAsync("admin:sessions", Ct)).AccessToken;

        public ValueTask DisposeAsync() => Admin.DisposeAsync();
    }
}
