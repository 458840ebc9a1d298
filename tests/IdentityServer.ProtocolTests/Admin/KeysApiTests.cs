using System.Text.Json.Nodes;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Keys;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Admin;

/// <summary>What an operator does to the signing keys through the admin API. Each test has a server of its own: keys remember everything.</summary>
public sealed class KeysApiTests : IAsyncLifetime
{
    private static readonly TimeSpan Lead = TimeSpan.FromHours(24);

    private readonly AdminServer _admin = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private DateTimeOffset Now => _admin.Server.Clock.GetUtcNow();

    public ValueTask InitializeAsync() => _admin.InitializeAsync();

    public ValueTask DisposeAsync() => _admin.DisposeAsync();

    [Fact]
    public async Task The_keys_are_listed_with_what_depends_on_them()
    {
        var answer = await _admin.GetAsync("/keys", Ct);

        Assert.Equal((200, "application/json"), (answer.Status, answer.MediaType));
        var keys = answer.Json!.AsArray().Select(key => key!.AsObject()).ToArray();
        Assert.Equal(["ES256", "ES384", "PS256", "RS256"], keys.Select(key => (string)key["alg"]!));
        Assert.All(keys, key =>
        {
            Assert.Equal("active", (string)key["state"]!);
            Assert.Equal(
                ["kid", "alg", "state", "createdAt", "activeFrom", "retiresAt", "erasedAt", "revokedAt", "held", "tokensAlive"],
                key.Select(member => member.Key));
            Assert.EndsWith("Z", (string)key["createdAt"]!, StringComparison.Ordinal);
            Assert.False((bool)key["held"]!);
        });
        Assert.True((long)keys[0]["tokensAlive"]! >= 1);
        Assert.Equal(0, (long)keys[1]["tokensAlive"]!);
    }

    [Fact]
    public async Task One_key_is_shown_with_its_public_part_and_its_uses()
    {
        var kid = await SigningAsync("ES256");
        var answer = await _admin.GetAsync("/keys/" + kid, Ct);
        var use = answer.Json!["uses"]!.AsArray().Single()!;

        Assert.Equal(kid, (string)answer.Json["jwk"]!["kid"]!);
        Assert.Null(answer.Json["jwk"]!["d"]);
        Assert.DoesNotContain("sealed", answer.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.Equal("keys-service", (string)use["client"]!);
        Assert.True((long)use["tokens"]! >= 2);
        Assert.True(DateTimeOffset.Parse((string)use["lastEnd"]!, null) > Now);
        (await _admin.GetAsync("/keys/es2-unknown", Ct)).IsProblem(404, "unknown_key");
    }

    [Fact]
    public async Task A_rollover_is_scheduled_moved_cancelled_and_every_refusal_says_why()
    {
        // too early, past, too far
        var tooEarly = await ScheduleAsync("ES256", Now + TimeSpan.FromHours(3));
        tooEarly.IsProblem(422, "too_early");
        Assert.Equal(AdminServer.Text(Now + Lead), tooEarly["earliest"]);
        Assert.Contains("\"force\": true does it anyway", tooEarly["detail"], StringComparison.Ordinal);
        (await ScheduleAsync("ES256", Now)).IsProblem(422, "past");
        (await ScheduleAsync("ES256", Now.AddDays(800))).IsProblem(422, "too_far");
        (await ScheduleAsync("EdDSA", Now.AddDays(3))).IsProblem(404, "unknown_algorithm");
        (await _admin.PostAsync("/keys/ES256/move", At(Now.AddDays(3)), Ct)).IsProblem(409, "nothing_scheduled");
        (await _admin.PostAsync("/keys/ES256/cancel", null, Ct)).IsProblem(409, "nothing_scheduled");
        (await _admin.PostAsync("/keys/ES256/undo", "{}", Ct)).IsProblem(409, "nothing_to_undo");
        (await _admin.PostAsync("/keys/none/activate", "{}", Ct)).IsProblem(404, "unknown_key");
        (await _admin.PostAsync($"/keys/{await SigningAsync("ES256")}/activate", "{}", Ct)).IsProblem(409, "already_active");

        // well
        var scheduled = await ScheduleAsync("ES256", Now + Lead);
        Assert.Equal(201, scheduled.Status);
        var kid = (string)scheduled.Json!["key"]!["kid"]!;
        Assert.Equal($"/admin/api/v1/keys/{kid}", scheduled.Response.Headers.Location?.OriginalString);
        Assert.Equal(("key.announced", "announced"), (scheduled["did"], (string)scheduled.Json["key"]!["state"]!));
        Assert.Contains(kid, await JwksAsync(), StringComparison.Ordinal);
        Assert.Equal("client:keys-service", await LastActorAsync(AuditTypes.KeyAnnounced));

        // twice
        (await ScheduleAsync("ES256", Now.AddDays(3))).IsProblem(409, "already_scheduled");
        (await _admin.PostAsync($"/keys/{kid}/activate", "{}", Ct)).IsProblem(422, "too_early");

        // moved; cancelled; and neither within the last seconds
        Assert.Equal(200, (await _admin.PostAsync("/keys/ES256/move", At(Now.AddDays(5)), Ct)).Status);
        (await _admin.PostAsync("/keys/ES256/move", At(Now.AddHours(1)), Ct)).IsProblem(422, "too_early");
        var plan = await PlanAsync("ES256");
        Assert.Equal((kid, AdminServer.Text(Now.AddDays(5))), ((string)plan["pending"]!["kid"]!, (string)plan["nextActivation"]!));
        var cancelled = await _admin.PostAsync("/keys/ES256/cancel", null, Ct);
        Assert.Equal("key.cancelled", cancelled["did"]);
        Assert.DoesNotContain(kid, await JwksAsync(), StringComparison.Ordinal);

        await ScheduleAsync("ES256", Now + Lead);
        _admin.Server.Clock.Advance(Lead - TimeSpan.FromSeconds(5));
        (await _admin.PostAsync("/keys/ES256/cancel", null, Ct)).IsProblem(409, "too_late");
        (await _admin.PostAsync("/keys/ES256/move", At(Now.AddDays(5)), Ct)).IsProblem(409, "too_late");
    }

    [Fact]
    public async Task A_rollover_that_happened_is_undone_and_what_it_published_agrees_at_once()
    {
        var first = await SigningAsync("ES256");
        var second = (string)(await ScheduleAsync("ES256", Now + Lead)).Json!["key"]!["kid"]!;
        _admin.Server.Clock.Advance(Lead + TimeSpan.FromMinutes(1));
        Assert.Equal(second, await SigningAsync("ES256"));

        var undone = await _admin.PostAsync("/keys/ES256/undo", null, Ct);

        Assert.Equal(("key.undone", first), (undone["did"], undone["signing"]));
        Assert.Equal(first, Jwt.Parse(await _admin.TokenAsync(Ct)).Kid);
        var again = await _admin.PostAsync($"/keys/{second}/activate", "{}", Ct);
        Assert.Equal(("key.activated", second), (again["did"], again["signing"]));

        _admin.Server.Clock.Advance(TimeSpan.FromDays(3));
        (await _admin.PostAsync($"/keys/{first}/activate", """{"force":true}""", Ct)).IsProblem(409, "retired");
        (await _admin.PostAsync("/keys/ES256/undo", null, Ct)).IsProblem(409, "nothing_to_undo");
    }

    [Fact]
    public async Task What_is_not_safe_can_be_forced_and_the_audit_log_says_so()
    {
        var forced = await _admin.PostAsync("/keys/ES256/schedule", $$"""{"at":"{{AdminServer.Text(Now.AddHours(1))}}","force":true}""", Ct);
        var activated = await _admin.PostAsync($"/keys/{(string)forced.Json!["key"]!["kid"]!}/activate", """{"force":true}""", Ct);

        Assert.Equal(201, forced.Status);
        Assert.EndsWith(", forced", forced["detail"], StringComparison.Ordinal);
        Assert.Equal("active", (string)activated.Json!["key"]!["state"]!);
    }

    [Theory]
    [InlineData("""{"every":"P30D"}""", "P30D", null)]
    [InlineData("""{"every":"30d"}""", "P30D", null)]
    [InlineData("""{"every":"PT36H"}""", "P1DT12H", null)]
    [InlineData("""{"cron":"0 9 1 * *","timeZone":"Europe/Berlin"}""", null, "0 9 1 * *")]
    public async Task A_plan_is_an_interval_or_a_cron_expression(string body, string? every, string? cron)
    {
        var answer = await _admin.PostAsync("/keys/RS256/schedule", body, Ct);
        var plan = await PlanAsync("RS256");

        Assert.Equal(200, answer.Status);
        Assert.Equal((every, cron), (answer["every"], answer["cron"]));
        Assert.Equal((every, cron), ((string?)plan["every"], (string?)plan["cron"]));
        Assert.True(DateTimeOffset.Parse((string)plan["nextActivation"]!, null) > Now);
        Assert.Null(plan["pending"]);
        Assert.Equal("P90D", (string)(await PlanAsync("ES256"))["every"]!);
    }

    [Theory]
    [InlineData("""{"every":"PT12H"}""", "too_often")]
    [InlineData("""{"every":"PT0S"}""", "invalid_interval")]
    [InlineData("""{"every":"P3000D"}""", "invalid_interval")]
    [InlineData("""{"cron":"* * * * *"}""", "too_often")]
    [InlineData("""{"cron":"every day"}""", "invalid_cron")]
    [InlineData("""{"cron":""}""", "invalid_cron")]
    [InlineData("""{"cron":"0 9 31 2 *"}""", "invalid_cron")]
    [InlineData("""{"cron":"0 9 1 * *","timeZone":"Mars/Olympus"}""", "invalid_cron")]
    public async Task A_plan_that_is_of_no_use_is_refused(string body, string code) =>
        (await _admin.PostAsync("/keys/RS256/schedule", body, Ct)).IsProblem(422, code);

    [Fact]
    public async Task A_compromised_key_takes_everything_it_signed_along()
    {
        var stolen = await SigningAsync("ES256");
        var token = await _admin.TokenAsync(Ct);
        var weighed = await _admin.GetAsync($"/keys/{stolen}/compromise", Ct);
        Assert.Equal("new", (string)weighed.Json!["takesOver"]!["how"]!);
        Assert.True((long)weighed.Json["tokensAlive"]! >= 2);
        Assert.Equal("keys-service", (string)weighed.Json["clients"]![0]!["client"]!);

        var next = (string)(await ScheduleAsync("ES256", Now + Lead)).Json!["key"]!["kid"]!;
        weighed = await _admin.GetAsync($"/keys/{stolen}/compromise", Ct);
        Assert.Equal(("announced", next), ((string)weighed.Json!["takesOver"]!["how"]!, (string)weighed.Json["takesOver"]!["kid"]!));
        Assert.Equal("unchanged", (string)(await _admin.GetAsync($"/keys/{next}/compromise", Ct)).Json!["takesOver"]!["how"]!);

        var done = await _admin.PostAsync($"/keys/{stolen}/compromise", """{"reason":"a laptop was lost"}""", Ct);

        Assert.Equal(("key.compromised", next), (done["did"], done["signing"]));
        Assert.DoesNotContain(stolen, await JwksAsync(), StringComparison.Ordinal);
        (await _admin.CallAsync("GET", "/keys", null, "Bearer " + token, Ct)).IsProblem(401, "invalid_token");
        (await _admin.PostAsync($"/keys/{stolen}/compromise", """{"reason":"again"}""", Ct)).IsProblem(409, "already_revoked");
        (await _admin.PostAsync("/keys/none/compromise", """{"reason":"again"}""", Ct)).IsProblem(404, "unknown_key");
        (await _admin.PostAsync("/keys/none/compromise", """{"reason":"again","endSessions":true}""", Ct)).IsProblem(404, "unknown_key");

        // Whoever was cut off between the key and the sessions asks once more.
        var rest = await _admin.PostAsync($"/keys/{stolen}/compromise", """{"reason":"again","endSessions":true}""", Ct);
        Assert.Equal(0, (int)rest.Json!["sessionsEnded"]!);
        (await _admin.GetAsync("/keys/none/compromise", Ct)).IsProblem(404, "unknown_key");
        var key = (await _admin.GetAsync("/keys/" + stolen, Ct)).Json!;
        Assert.Equal(("retired", "a laptop was lost"), ((string)key["state"]!, (string)key["revokedBecause"]!));
        Assert.NotNull(key["erasedAt"]);
    }

    [Fact]
    public async Task A_preflight_tells_who_has_the_next_key_and_who_holds_it_back()
    {
        var directory = _admin.Server.Services.GetRequiredService<ClientDirectory>();
        var waitedFor = await _admin.Server.AddWebAppAsync("payroll", Ct, client => client with { RequireReadiness = true });
        await FetchAsync("payroll");
        await FetchAsync("keys-app");
        _admin.Server.Clock.Advance(TimeSpan.FromHours(2));
        await FetchAsync("keys-app");
        var kid = (string)(await ScheduleAsync("ES256", Now + Lead)).Json!["key"]!["kid"]!;
        await FetchAsync("keys-app");

        var preflight = (await _admin.GetAsync("/keys/preflight?alg=ES256", Ct)).Json!;
        var clients = preflight["clients"]!.AsArray().ToDictionary(client => (string)client!["client"]!, client => client!.AsObject());

        Assert.Equal((kid, "announced", true), ((string)preflight["kid"]!, (string)preflight["state"]!, (bool)preflight["held"]!));
        Assert.Equal("P1D", (string)preflight["leadTime"]!);
        Assert.Equal(("notYet", true), ((string)clients["payroll"]["state"]!, (bool)clients["payroll"]["holdsBack"]!));
        Assert.Equal(("hasIt", false), ((string)clients["keys-app"]["state"]!, (bool)clients["keys-app"]["holdsBack"]!));
        Assert.Equal(3600, (long)clients["keys-app"]["usualIntervalSeconds"]!);
        Assert.Equal("unknown", (string)clients["keys-service"]["state"]!);
        Assert.All(clients.Values, client => Assert.EndsWith(".", (string)client["evidence"]!, StringComparison.Ordinal));
        Assert.NotNull(await directory.FindAsync(waitedFor.ClientId, Ct));

        _admin.Server.Clock.Advance(Lead);
        (await _admin.PostAsync($"/keys/{kid}/activate", "{}", Ct)).IsProblem(422, "not_ready");
        Assert.Equal(200, (await _admin.PostAsync($"/keys/{kid}/activate", """{"force":true}""", Ct)).Status);
        (await _admin.GetAsync("/keys/preflight?alg=none", Ct)).IsProblem(404, "unknown_algorithm");
        Assert.Equal("active", (string)(await _admin.GetAsync("/keys/preflight?alg=ES256", Ct)).Json!["state"]!);
    }

    [Fact]
    public async Task Ten_at_once_announce_one_key()
    {
        var body = At(Now.AddDays(2));
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => _admin.PostAsync("/keys/ES256/schedule", body, Ct)));

        Assert.Equal(1, answers.Count(answer => answer.Status == 201));
        Assert.All(answers.Where(answer => answer.Status != 201), answer => Assert.Equal(409, answer.Status));
        var keys = await _admin.GetAsync("/keys", Ct);
        Assert.Equal(2, keys.Json!.AsArray().Count(key => (string)key!["alg"]! == "ES256"));
    }

    [Fact]
    public async Task A_person_is_named_in_the_audit_log()
    {
        var tokens = await _admin.App.SignInAsync(_admin.Olga, "openid admin:keys", Ct);
        var answer = await _admin.CallAsync("POST", "/keys/ES256/schedule", At(Now + Lead), "Bearer " + tokens.AccessToken, Ct);

        Assert.Equal(201, answer.Status);
        Assert.Equal("user:" + Jwt.Parse(tokens.AccessToken!)["sub"], await LastActorAsync(AuditTypes.KeyAnnounced));
    }

    private static string At(DateTimeOffset at) => $$"""{"at":"{{AdminServer.Text(at)}}"}""";

    private Task<AdminReply> ScheduleAsync(string algorithm, DateTimeOffset at) =>
        _admin.PostAsync($"/keys/{algorithm}/schedule", At(at), Ct);

    private async Task<string> SigningAsync(string algorithm) => (string)(await PlanAsync(algorithm))["signing"]!;

    private async Task<JsonObject> PlanAsync(string algorithm) => (await _admin.GetAsync("/keys/plans", Ct)).Json!.AsArray()
        .Select(plan => plan!.AsObject()).Single(plan => (string)plan["alg"]! == algorithm);

    private async Task<string> JwksAsync() => (await _admin.Server.FetchAsync(Endpoints.Jwks, Ct)).Text;

    private Task FetchAsync(string clientId) => _admin.Server.FetchAsync($"{Endpoints.Jwks}?client_id={clientId}", Ct);

    private async Task<string> LastActorAsync(string type) =>
        (await _admin.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(50, Ct)).First(audit => audit.Type == type).Actor;
}
