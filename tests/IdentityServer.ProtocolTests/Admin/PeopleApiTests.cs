using System.Text.Json.Nodes;
using IdentityServer.Protocol.Audit;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Admin;

/// <summary>Helping people who cannot sign in, over the admin API.</summary>
public sealed class PeopleApiTests(AdminServer admin) : IClassFixture<AdminServer>
{
    private const string Reason = """{"reason":"lost the phone; identity checked at the front desk"}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Support_takes_lost_factors_away_with_a_reason_and_everything_ends()
    {
        var sam = await admin.Server.GiveAppAsync(await AddAsync("support"), Ct);
        var bea = await admin.Server.GiveAppAsync(await AddAsync(), Ct);
        var tokens = await admin.App.SignInAsync(bea, "openid", Ct);
        var sub = tokens.IdToken!["sub"]!;
        Assert.True((bool)(await CallAsync(sam, "GET", $"/people/{sub}", null)).Json!["hasAuthenticator"]!);

        var answer = await CallAsync(sam, "POST", $"/people/{sub}/reset-factors", Reason);

        Assert.Equal(200, answer.Status);
        Assert.False((bool)answer.Json!["hasAuthenticator"]!);
        Assert.False((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        (await CallAsync(sam, "POST", $"/people/{sub}/reset-factors", Reason)).IsProblem(409, "nothing_to_do");
        var events = await admin.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(10, Ct);
        var audit = Assert.Single(events, audit => audit.Type == AuditTypes.FactorsReset && audit.Subject == sub);
        Assert.StartsWith("user:", audit.Actor, StringComparison.Ordinal);
        Assert.Equal("lost the phone; identity checked at the front desk", audit.Detail);

        // The password is not lost with them, and was not set by anybody.
        var browser = new Browser(admin.App.Http);
        Assert.NotNull((await admin.App.AuthorizeAsync(browser, admin.App.Attempt(), bea with { App = null }, Ct)).Answer);
    }

    [Theory]
    [InlineData("operator")]
    [InlineData("auditor")]
    public async Task Another_role_does_not_help(string role)
    {
        var person = await admin.Server.GiveAppAsync(await AddAsync(role), Ct);

        (await CallAsync(person, "GET", "/people?name=olga", null)).IsProblem(403, "no_role");
    }

    [Fact]
    public async Task The_scope_of_the_keys_does_not_open_the_people() =>
        (await admin.CallAsync("GET", "/people?name=olga", null, $"Bearer {await admin.TokenAsync(Ct)}", Ct)).IsProblem(403, "insufficient_scope");

    [Fact]
    public async Task A_service_disables_and_enables()
    {
        var person = await AddAsync();
        var tokens = await admin.App.SignInAsync(person, "openid", Ct);
        var sub = tokens.IdToken!["sub"]!;

        var disabled = await CallAsync("POST", $"/people/{sub}/disable", """{"reason":"left"}""");

        Assert.NotNull(disabled.Json!["disabledAt"]);
        Assert.False((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        Assert.Null((await admin.App.AuthorizeAsync(new Browser(admin.App.Http), admin.App.Attempt(), person, Ct)).Answer);
        Assert.Equal(200, (await CallAsync("POST", $"/people/{sub}/enable", """{"reason":"came back"}""")).Status);
        Assert.NotNull((await admin.App.AuthorizeAsync(new Browser(admin.App.Http), admin.App.Attempt(), person, Ct)).Answer);
    }

    [Fact]
    public async Task Unlocking_ends_what_was_counted()
    {
        var person = await AddAsync();
        for (var guess = 0; guess < 5; guess++)
        {
            await TryAsync(person with { Password = "not the password at all" });
        }

        Assert.Equal(429, (int)(await TryAsync(person)).Status);
        var sub = (string)(await CallAsync("GET", $"/people?name={person.UserName}", null)).Json!["sub"]!;
        Assert.Equal(200, (await CallAsync("POST", $"/people/{sub}/unlock", """{"reason":"asked by phone"}""")).Status);

        Assert.Null((await TryAsync(person)).SignInForm);
    }

    [Theory]
    [InlineData("GET", "/people", null, 400, "invalid_request")]
    [InlineData("GET", "/people?name=nobody-at-all", null, 404, "unknown_person")]
    [InlineData("GET", "/people/nobody", null, 404, "unknown_person")]
    [InlineData("POST", "/people/nobody/unlock", """{"reason":"x"}""", 404, "unknown_person")]
    [InlineData("POST", "/people/nobody/unlock", """{}""", 400, "invalid_request")]
    [InlineData("POST", "/people/nobody/unlock", """{"reason":""}""", 400, "invalid_request")]
    [InlineData("POST", "/people/nobody/unlock", """{"reason":7}""", 400, "invalid_request")]
    [InlineData("POST", "/people/nobody/unlock", """{"reason":"a\nb"}""", 400, "invalid_request")]
    [InlineData("POST", "/people/nobody/forgive", """{"reason":"x"}""", 404, "not_found")]
    [InlineData("DELETE", "/people/nobody", null, 405, "method_not_allowed")]
    public async Task What_cannot_be_done_is_refused_with_a_reason(string method, string path, string? body, int status, string code) =>
        (await CallAsync(method, path, body)).IsProblem(status, code);

    [Fact]
    public async Task A_reason_of_ten_thousand_letters_is_too_long() =>
        (await CallAsync("POST", "/people/nobody/unlock", $$"""{"reason":"{{new string('x', 10_000)}}"}""")).IsProblem(400, "invalid_request");

    private async Task<AdminReply> CallAsync(string method, string path, string? body)
    {
        var token = (await admin.Service.ClientCredentialsAsync("admin:people", Ct)).AccessToken;
        return await admin.CallAsync(method, path, body, "Bearer " + token, Ct);
    }

    private async Task<AdminReply> CallAsync(Person person, string method, string path, string? body)
    {
        admin.Server.Clock.Advance(TimeSpan.FromSeconds(30));
        var token = (await admin.App.SignInAsync(person, "openid admin:people", Ct)).AccessToken;
        return await admin.CallAsync(method, path, body, "Bearer " + token, Ct);
    }

    private Task<Person> AddAsync(params string[] roles) =>
        admin.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct, roles);

    private async Task<Page> TryAsync(Person person)
    {
        var browser = new Browser(admin.App.Http);
        return await browser.SignInAsync(await browser.OpenAsync(admin.App.Attempt().At(admin.App.Provider.Authorization), Ct), person, Ct);
    }
}
