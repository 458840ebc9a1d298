using System.Net;
using System.Text.Json.Nodes;
using AngleSharp.Dom;
using AngleSharp.Html.Dom;
using IdentityServer.Admin;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Admin;

/// <summary>The console's pages of sessions and receipts: who may see them, what they end, and what they say of it.</summary>
public sealed class SessionsPageTests(AdminServer admin) : IClassFixture<AdminServer>
{
    private const string Why = "laptop reported stolen, ticket 5512";
    private const string Hostile = "\"><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private MutableClock Clock => admin.Server.Clock;

    [Theory]
    [InlineData(null, false)]
    [InlineData("operator", false)]
    [InlineData("auditor", false)]
    [InlineData("support", true)]
    [InlineData("admin", true)]
    public async Task Sessions_are_for_support_and_administrators(string? role, bool mayEnter)
    {
        var visitor = await AddAsync(role is null ? [] : [role]);
        var person = await AddAsync();
        await admin.App.SignInAsync(person, "openid", Ct);
        var receipt = await EndAsync(await SubjectAsync(person));
        await admin.App.SignInAsync(person, "openid", Ct);
        var (browser, _) = await EnterAsync(visitor, "/admin/sessions");

        foreach (var path in new[]
        {
            "/admin/sessions", $"/admin/sessions?person={person.UserName}", $"/admin/sessions/end?person={person.UserName}", "/admin/receipts",
            $"/admin/receipts/{receipt}", $"/admin/receipts/{receipt}?handler=Json",
        })
        {
            var page = await OpenAsync(browser, path);
            Assert.Equal((path, mayEnter ? HttpStatusCode.OK : HttpStatusCode.Forbidden), (path, page.Status));
            Assert.True(mayEnter || !page.Text.Contains(person.UserName, StringComparison.Ordinal), path);
        }
    }

    [Theory]
    [InlineData("/admin/sessions", "console-sessions")]
    [InlineData("/admin/sessions/end?sid=something", "console-end")]
    [InlineData("/admin/receipts", "console-receipts")]
    [InlineData("/admin/receipts/something", "console-receipts")]
    [InlineData("/admin/receipts/something?handler=Json", "console-receipts")]
    public async Task Nobody_sees_them_who_is_not_signed_in(string path, string name)
    {
        var page = await OpenAsync(new Browser(admin.Server.Http), path);

        Assert.Equal(("/login", $"?to={name}"), (page.Address.AbsolutePath, page.Address.Query));
    }

    [Theory]
    [InlineData("support", "/admin/sessions", "Sessions Receipts")]
    [InlineData("operator", "/admin/keys", "Keys")]
    [InlineData("admin", "/admin/keys", "Sessions Keys Receipts")]
    public async Task The_front_door_leads_to_what_one_may_see(string role, string path, string entries)
    {
        var (_, page) = await EnterAsync(await AddAsync(role), "/admin");

        Assert.Equal((HttpStatusCode.OK, path), (page.Status, page.Address.AbsolutePath));
        Assert.Equal(entries, string.Join(' ', page.Document.QuerySelectorAll(".side-nav a").Select(entry => entry.TextContent)));
        Assert.Equal(path, page.Document.QuerySelector(".side-nav [aria-current=page]")!.GetAttribute("href"));
    }

    [Fact]
    public async Task A_session_is_found_by_its_person_app_and_address()
    {
        var boss = await BossAsync();
        var person = await AddAsync();
        var subject = await SubjectAsync(person);
        await admin.App.SignInAsync(person, "openid", Ct);
        await admin.App.SignInAsync(await AddAsync(), "openid", Ct);
        var (browser, _) = await EnterAsync(boss, "/admin/sessions");

        foreach (var query in new[]
        {
            $"person={person.UserName}", $"person={person.UserName}%40example.com", $"person={subject}&client=&address=",
            $"person={person.UserName}&client=keys-app&address=127.0.0.1",
        })
        {
            var row = Assert.Single(RowsOf(await OpenAsync(browser, "/admin/sessions?" + query)));
            Assert.Contains(person.UserName, row.TextContent, StringComparison.Ordinal);
            Assert.Contains("127.0.0.1", row.TextContent, StringComparison.Ordinal);
            Assert.Contains("Linux", row.TextContent, StringComparison.Ordinal);
            Assert.Contains("keys-app", row.TextContent, StringComparison.Ordinal);
            Assert.Equal("Password only", row.QuerySelector(".status.warn")!.TextContent.Trim());
        }

        Assert.True(RowsOf(await OpenAsync(browser, "/admin/sessions")).Count() > 1);
        foreach (var query in new[] { $"person={person.UserName}&client=another-app", $"person={person.UserName}&address=10.9.8.7" })
        {
            var page = await OpenAsync(browser, "/admin/sessions?" + query);
            Assert.Empty(RowsOf(page));
            Assert.Contains("No session matches", page.Text, StringComparison.Ordinal);
        }

        var unknown = await OpenAsync(browser, "/admin/sessions?person=nobody-at-all");
        Assert.Empty(RowsOf(unknown));
        Assert.Contains("There is no such person", unknown.Text, StringComparison.Ordinal);
        Assert.Equal("nobody-at-all", unknown.Document.QuerySelector("#person")!.GetAttribute("value"));
        Assert.Equal("true", unknown.Document.QuerySelector("#person")!.GetAttribute("aria-invalid"));
    }

    [Fact]
    public async Task Sixty_sessions_are_two_pages()
    {
        var person = await AddAsync();
        var opened = await OpenSessionsAsync(person, 60);
        var (browser, _) = await EnterAsync(await BossAsync(), "/admin/sessions");

        var first = await OpenAsync(browser, $"/admin/sessions?person={person.UserName}");
        var second = await OpenAsync(browser, Next(first)!);

        Assert.Equal((50, 10), (RowsOf(first).Count(), RowsOf(second).Count()));
        Assert.Equal(opened.Reverse(), RowsOf(first).Concat(RowsOf(second)).Select(SidOf));
        Assert.Equal(person.UserName, second.Document.QuerySelector("#person")!.GetAttribute("value"));
        Assert.Null(Next(second));
        Assert.Equal(50, RowsOf(await OpenAsync(browser, $"/admin/sessions?person={person.UserName}&cursor=%2500nonsense")).Count());
    }

    [Fact]
    public async Task Receipts_are_paged_too()
    {
        var person = await AddAsync();
        foreach (var sid in await OpenSessionsAsync(person, 55))
        {
            await admin.Server.Services.GetRequiredService<EndingHelp>().EndSessionAsync(sid, Why, "cli", Ct);
        }

        var (browser, first) = await EnterAsync(await BossAsync(), "/admin/receipts");
        var second = await OpenAsync(browser, Next(first)!);

        Assert.Equal(50, RowsOf(first).Count());
        Assert.True(RowsOf(second).Count() >= 5);
        Assert.Empty(RowsOf(first).Select(Link).Intersect(RowsOf(second).Select(Link), StringComparer.Ordinal));
        Assert.Contains(RowsOf(first), row => row.TextContent.Contains("the command line", StringComparison.Ordinal));

        static string Link(IElement row) => row.QuerySelector("a")!.GetAttribute("href")!;
    }

    [Fact]
    public async Task A_session_ends_for_a_reason_and_leaves_a_receipt()
    {
        var boss = await BossAsync();
        var person = await AddAsync();
        var tokens = await admin.App.SignInAsync(person, "openid offline_access", Ct);
        var other = await admin.App.SignInAsync(person, "openid offline_access", Ct);
        var (browser, _) = await EnterAsync(boss, "/admin/sessions");
        var list = await OpenAsync(browser, $"/admin/sessions?person={person.UserName}");
        var row = RowsOf(list).Single(row => SidOf(row) == (string)tokens.IdToken!["sid"]!);

        // 1 it says what it would do
        var confirm = await OpenAsync(browser, row.QuerySelector("a.danger")!.GetAttribute("href")!);
        Assert.Contains(person.UserName, confirm.Document.QuerySelector("h1")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("keys-app", confirm.Document.QuerySelector(".facts")!.TextContent, StringComparison.Ordinal);
        Assert.True((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);

        // 2 it wants a reason
        foreach (var bad in new[] { "", "  ", new string('x', 201), "turned \u202e around" })
        {
            confirm = await SendAsync(browser, confirm, ("reason", bad));
            Assert.Equal("/admin/sessions/end", confirm.Address.AbsolutePath);
            Assert.NotNull(confirm.Document.QuerySelector("#reason-error"));
            Assert.Equal(bad.Trim(), confirm.Document.QuerySelector("#reason")!.GetAttribute("value") ?? "");
            Assert.StartsWith("Error:", confirm.Document.Title, StringComparison.Ordinal);
        }

        Assert.True((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);

        // 3 it ends
        var page = await SendAsync(browser, confirm, ("reason", $" {Why} "));
        Assert.StartsWith("/admin/receipts/", page.Address.AbsolutePath, StringComparison.Ordinal);
        Assert.Equal($"Session of {person.UserName} ended", page.Document.QuerySelector("h1")!.TextContent);
        Assert.False((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        Assert.Equal("invalid_grant", (await admin.App.RefreshAsync(tokens.RefreshToken!, Ct)).Error);
        Assert.True((await admin.App.IntrospectAsync(other.AccessToken!, Ct)).IsActive);
        var receipt = (await admin.Server.Services.GetRequiredService<IReceiptStore>().FindAsync(page.Address.Segments[^1], Ct))!;
        Assert.Equal((Why, "user:" + await SubjectAsync(boss)), (receipt.Note, receipt.Actor));
        Assert.Contains(Why, page.Text, StringComparison.Ordinal);
        Assert.Contains(boss.UserName, page.Document.QuerySelector(".page-head")!.TextContent, StringComparison.Ordinal);
        Assert.Contains(
            await admin.Server.Services.GetRequiredService<IAuditLog>().LatestAsync(10, Ct),
            audit => audit.Type == AuditTypes.SessionEnded && audit.Detail == "ended_by_admin: " + Why && audit.Actor == receipt.Actor);

        // 4 once
        var again = await SendAsync(browser, await OpenAsync(browser, confirm.Address.PathAndQuery), ("reason", Why));
        Assert.Contains("It had ended before", again.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_of_a_person_ends_by_any_of_their_names()
    {
        var (browser, _) = await EnterAsync(await AddAppAsync("support"), "/admin/sessions");
        foreach (var name in (Func<Person, Task<string>>[])[
            person => Task.FromResult(person.UserName), person => Task.FromResult(person.UserName + "@example.com"), SubjectAsync])
        {
            var person = await AddAsync();
            var tokens = await admin.App.SignInAsync(person, "openid offline_access", Ct);
            var form = (await OpenAsync(browser, "/admin/sessions")).Forms.Single(form => form.QuerySelector("#end-person") is not null);
            var confirm = await browser.SubmitAsync(
                await OpenAsync(browser, "/admin/sessions"), form, Answers(("person", await name(person))), null, Ct);
            Assert.Contains(person.UserName, confirm.Document.QuerySelector("h1")!.TextContent, StringComparison.Ordinal);
            Assert.Equal("1", confirm.Document.QuerySelector(".facts dd:last-child")!.TextContent);

            var page = await SendAsync(browser, confirm, ("reason", Why));

            Assert.Equal($"Everything of {person.UserName} ended", page.Document.QuerySelector("h1")!.TextContent);
            Assert.Equal("invalid_grant", (await admin.App.RefreshAsync(tokens.RefreshToken!, Ct)).Error);
        }
    }

    [Fact]
    public async Task All_that_a_client_was_given_ends_and_people_stay_signed_in()
    {
        var app = await admin.Server.AddWebAppAsync("page-app", Ct, client => client with { Name = Hostile[..60], RequireConsent = false });
        var tokens = await app.SignInAsync(await AddAsync(), "openid offline_access", Ct);
        var (browser, _) = await EnterAsync(await BossAsync(), "/admin/sessions");

        var confirm = await OpenAsync(browser, "/admin/sessions/end?client=page-app");
        AssertHarmless(confirm);
        var page = await SendAsync(browser, confirm, ("reason", Why));

        AssertHarmless(page);
        Assert.Contains(Hostile[..60], page.Document.QuerySelector("h1")!.TextContent, StringComparison.Ordinal);
        Assert.False((await app.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        AssertHarmless(await OpenAsync(browser, "/admin/receipts"));
        AssertHarmless(await OpenAsync(browser, "/admin/sessions?client=page-app"));
    }

    [Fact]
    public async Task Sessions_opened_before_an_instant_end_each_with_a_receipt()
    {
        await using var world = new AdminServer();
        await world.InitializeAsync();
        var old = await world.App.SignInAsync(await world.Server.AddPersonAsync("nora", Ct), "openid", Ct);
        var older = await world.App.SignInAsync(await world.Server.AddPersonAsync("nils", Ct), "openid", Ct);
        world.Server.Clock.Advance(TimeSpan.FromMinutes(3));
        var instant = world.Server.Clock.GetUtcNow();
        world.Server.Clock.Advance(TimeSpan.FromMinutes(3));
        var young = await world.App.SignInAsync(await world.Server.AddPersonAsync("nina", Ct), "openid", Ct);
        var boss = await world.Server.GiveAppAsync(await world.Server.AddPersonAsync("boss", Ct, "admin"), Ct);
        var browser = new Browser(world.Server.Http);
        await browser.SignInAsync(await browser.OpenAsync(new Uri(world.Server.Address, "/admin/sessions"), Ct), boss, Ct);

        var confirm = await browser.OpenAsync(
            new Uri(world.Server.Address, "/admin/sessions/end?before=" + Uri.EscapeDataString(MomentField.Write(instant))), Ct);
        Assert.Equal("2", confirm.Document.QuerySelector(".facts dd:last-child")!.TextContent);
        Assert.Null(confirm.Document.QuerySelector(".notice.warn"));
        var page = await SendAsync(browser, confirm, ("reason", Why));

        Assert.Equal("/admin/receipts", page.Address.AbsolutePath);
        Assert.Contains("2 sessions ended", page.Document.QuerySelector("[role=status]")!.TextContent, StringComparison.Ordinal);
        Assert.Equal(2, RowsOf(page).Count(row => row.TextContent.Contains(Why, StringComparison.Ordinal)));
        Assert.False((await world.App.IntrospectAsync(old.AccessToken!, Ct)).IsActive);
        Assert.False((await world.App.IntrospectAsync(older.AccessToken!, Ct)).IsActive);
        Assert.True((await world.App.IntrospectAsync(young.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task Everything_ends_when_the_box_is_ticked_the_own_session_too()
    {
        await using var world = new AdminServer();
        await world.InitializeAsync();
        var tokens = await world.App.SignInAsync(await world.Server.AddPersonAsync("nora", Ct), "openid offline_access", Ct);
        var boss = await world.Server.GiveAppAsync(await world.Server.AddPersonAsync("boss", Ct, "admin"), Ct);
        var browser = new Browser(world.Server.Http);
        await browser.SignInAsync(await browser.OpenAsync(new Uri(world.Server.Address, "/admin/sessions"), Ct), boss, Ct);
        var confirm = await browser.OpenAsync(new Uri(world.Server.Address, "/admin/sessions/end?all=true"), Ct);
        Assert.Contains("Your own session", confirm.Document.QuerySelector(".notice.warn")!.TextContent, StringComparison.Ordinal);

        confirm = await SendAsync(browser, confirm, ("reason", Why));
        Assert.NotNull(confirm.Document.QuerySelector("#sure-error"));
        Assert.Equal(Why, confirm.Document.QuerySelector("#reason")!.GetAttribute("value"));
        Assert.True((await world.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);

        var page = await SendAsync(browser, confirm, ("reason", Why), ("sure", "on"));

        Assert.Equal(("/login", "?to=console-receipts"), (page.Address.AbsolutePath, page.Address.Query));
        Assert.False((await world.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        page = await browser.SignInAsync(page, boss, Ct);
        Assert.Contains(RowsOf(page), row => row.TextContent.Contains("Everything ended", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Support_ends_nothing_that_many_have()
    {
        var person = await AddAsync();
        var tokens = await admin.App.SignInAsync(person, "openid", Ct);
        var (browser, page) = await EnterAsync(await AddAppAsync("support"), "/admin/sessions");
        Assert.NotNull(page.Document.QuerySelector("#end-person"));
        Assert.Null(page.Document.QuerySelector("#end-client, #end-before, a[href*='all=true']"));
        var form = await OpenAsync(browser, $"/admin/sessions/end?person={person.UserName}");

        foreach (var (name, value) in new[] { ("client", "keys-app"), ("before", "2026-01-01T00:00"), ("all", "true") })
        {
            Assert.Equal(HttpStatusCode.Forbidden, (await OpenAsync(browser, $"/admin/sessions/end?{name}={value}")).Status);

            // As if the form had said so.
            form.Document.QuerySelector("input[name=person]")?.Remove();
            var sent = await browser.SubmitAsync(form, WithField(form, name, value), Answers(("reason", Why), ("sure", "on")), null, Ct);
            Assert.Equal(HttpStatusCode.Forbidden, sent.Status);
        }

        Assert.True((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task An_old_proof_is_asked_for_again_and_nothing_is_lost()
    {
        var boss = await BossAsync();
        var person = await AddAsync();
        var tokens = await admin.App.SignInAsync(person, "openid offline_access", Ct);
        var (browser, _) = await EnterAsync(boss, "/admin/sessions");
        var confirm = await OpenAsync(browser, $"/admin/sessions/end?person={person.UserName}");
        Clock.Advance(TimeSpan.FromMinutes(15));

        var login = await SendAsync(browser, confirm, ("reason", Why));
        Assert.Equal(("/login", "?to=console-end"), (login.Address.AbsolutePath, login.Address.Query));
        Assert.Null((await admin.App.RefreshAsync(tokens.RefreshToken!, Ct)).Error);

        confirm = await browser.SignInAsync(login, boss, Ct);
        Assert.Equal("/admin/sessions/end", confirm.Address.AbsolutePath);
        Assert.Equal(Why, confirm.Document.QuerySelector("#reason")!.GetAttribute("value"));
        Assert.Contains("You have proved who you are", confirm.Text, StringComparison.Ordinal);
        Assert.Single(RowsOf(await OpenAsync(browser, $"/admin/sessions?person={person.UserName}")));

        var page = await SendAsync(browser, confirm, ("reason", Why));
        Assert.Equal($"Everything of {person.UserName} ended", page.Document.QuerySelector("h1")!.TextContent);
        Assert.Empty(RowsOf(await OpenAsync(browser, $"/admin/sessions?person={person.UserName}")));
    }

    [Fact]
    public async Task A_password_alone_ends_nothing()
    {
        var support = await AddAsync("support");
        var person = await AddAsync();
        var tokens = await admin.App.SignInAsync(person, "openid", Ct);
        var (browser, list) = await EnterAsync(support, "/admin/sessions");
        Assert.Equal("/admin/sessions", list.Address.AbsolutePath);

        var enrol = await SendAsync(browser, await OpenAsync(browser, $"/admin/sessions/end?person={person.UserName}"), ("reason", Why));

        Assert.Equal(("/login/enrol", "?to=console-end"), (enrol.Address.AbsolutePath, enrol.Address.Query));
        Assert.True((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
        var (_, codes) = await browser.EnrolAsync(enrol, Clock, Ct);
        Assert.Equal(10, TwoFactor.RecoveryCodesOn(codes).Count);
        var confirm = await OpenAsync(browser, "/admin/sessions/end");
        Assert.Equal(Why, confirm.Document.QuerySelector("#reason")!.GetAttribute("value"));
        await SendAsync(browser, confirm, ("reason", Why));
        Assert.False((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
    }

    [Fact]
    public async Task A_form_from_elsewhere_or_without_our_token_ends_nothing()
    {
        var person = await AddAsync();
        var tokens = await admin.App.SignInAsync(person, "openid", Ct);
        var (browser, _) = await EnterAsync(await BossAsync(), "/admin/sessions");
        var confirm = await OpenAsync(browser, $"/admin/sessions/end?person={person.UserName}");

        var elsewhere = await browser.PostFromElsewhereAsync(
            new Uri(admin.Server.Address, "/admin/sessions/end"), [new("person", person.UserName), new("reason", Why)], Ct);
        var bare = await SendAsync(browser, confirm, ("reason", Why), ("__RequestVerificationToken", null));

        Assert.NotEqual(HttpStatusCode.OK, elsewhere.Status);
        Assert.Equal(HttpStatusCode.BadRequest, bare.Status);
        Assert.True((await admin.App.IntrospectAsync(tokens.AccessToken!, Ct)).IsActive);
    }

    [Theory]
    [InlineData("/admin/sessions/end?sid=nothing", 404, "")]
    [InlineData("/admin/receipts/nothing", 404, "")]
    [InlineData("/admin/receipts/nothing?handler=Json", 404, "")]
    [InlineData("/admin/sessions/end", 200, "/admin/sessions")]
    [InlineData("/admin/sessions/end?all=true&client=keys-app", 200, "/admin/sessions")]
    [InlineData("/admin/sessions/end?person=nobody-at-all", 200, "There is no such person")]
    [InlineData("/admin/sessions/end?client=nothing", 200, "There is no such client")]
    [InlineData("/admin/sessions/end?before=yesterday", 200, "Choose a day and a time")]
    [InlineData("/admin/sessions/end?before=2999-01-01T00:00", 200, "That time is still to come")]
    public async Task What_is_not_there_is_said_where_it_was_asked_for(string path, int status, string what)
    {
        var (browser, _) = await EnterAsync(await BossAsync(), "/admin/sessions");

        var page = await OpenAsync(browser, path);

        Assert.Equal(status, (int)page.Status);
        if (status == 200)
        {
            Assert.Equal("/admin/sessions", page.Address.AbsolutePath);
            Assert.Contains(what, page.Document.QuerySelector("[role=alert]")?.TextContent ?? page.Address.AbsolutePath, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_factor_that_was_spared_is_asked_for_and_nothing_is_lost()
    {
        var support = await AddAppAsync("support");
        var person = await AddAsync();
        await admin.App.SignInAsync(person, "openid", Ct);
        var browser = new Browser(admin.Server.Http);
        Clock.Advance(TimeSpan.FromSeconds(30));
        var page = await browser.SignInAsync(await OpenAsync(browser, "/account"), support with { App = null }, Ct);
        await browser.TypeCodeAsync(page, support.App!.Code, remember: true, Ct);
        await SendAsync(browser, await OpenAsync(browser, "/logout"));
        page = await browser.SignInAsync(await OpenAsync(browser, "/account"), support with { App = null }, Ct);
        Assert.Equal("/account", page.Address.AbsolutePath);

        page = await SendAsync(browser, await OpenAsync(browser, $"/admin/sessions/end?person={person.UserName}"), ("reason", Why));

        Assert.Equal(("/login/code", "?to=console-end"), (page.Address.AbsolutePath, page.Address.Query));
        Assert.Single(RowsOf(await OpenAsync(browser, $"/admin/sessions?person={person.UserName}")));
        Clock.Advance(TimeSpan.FromSeconds(30));
        page = await browser.TypeCodeAsync(page, support.App.Code, remember: false, Ct);
        Assert.Equal(Why, page.Document.QuerySelector("#reason")!.GetAttribute("value"));
        page = await SendAsync(browser, page, ("reason", Why));
        Assert.Equal($"Everything of {person.UserName} ended", page.Document.QuerySelector("h1")!.TextContent);
    }

    [Theory]
    [InlineData("client=%00&address=%00&person=%00")]
    [InlineData("address=%F0%9F%92%A5&client=%C3%A9")]
    [InlineData("cursor=MTIzOgA")]
    [InlineData("cursor=OTk5OTk5OTk5OTk5OTk5OTk5OmE")]
    [InlineData("person=a&person=b&client=c&client=d")]
    public async Task A_nonsensical_filter_finds_nothing_or_is_not_heeded(string query)
    {
        var (browser, _) = await EnterAsync(await BossAsync(), "/admin/sessions");

        Assert.Equal(HttpStatusCode.OK, (await OpenAsync(browser, "/admin/sessions?" + query)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await OpenAsync(browser, "/admin/receipts/%01%F0%9F%92%A5")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await OpenAsync(browser, "/admin/sessions/end?sid=%00")).Status);
    }

    [Fact]
    public async Task A_receipt_is_the_same_on_the_page_in_the_file_and_in_the_API()
    {
        var person = await AddAsync();
        await admin.App.SignInAsync(person, "openid", Ct);
        var id = await EndAsync(await SubjectAsync(person));
        var (browser, _) = await EnterAsync(await BossAsync(), "/admin/sessions");

        var page = await OpenAsync(browser, "/admin/receipts/" + id);
        var file = await OpenAsync(browser, page.Document.QuerySelector("a[download]")!.GetAttribute("href")!);
        var token = (await admin.Service.ClientCredentialsAsync("admin:sessions", Ct)).AccessToken;
        var api = (await admin.CallAsync("GET", "/receipts/" + id, null, "Bearer " + token, Ct)).Json!;

        Assert.Equal("application/json", file.MediaType);
        Assert.Equal($"attachment; filename=receipt-{id}.json; filename*=UTF-8''receipt-{id}.json", file.Header("Content-Disposition"));
        foreach (var part in new[] { "id", "kind", "sub", "note", "actor", "at", "sessions", "grants", "refreshFamilies", "exposedUntil" })
        {
            Assert.Equal(api[part]!.ToJsonString(), JsonNode.Parse(file.Text)![part]!.ToJsonString());
        }

        var died = page.Document.QuerySelectorAll("[aria-labelledby=died] tbody td.end").Select(cell => cell.TextContent);
        Assert.Equal(["1", "1", "1"], died);
        Assert.Equal(api["nodes"]!.AsArray().Count, page.Document.QuerySelectorAll("#nodes tbody tr").Length);
        Assert.Contains("10 min", page.Document.QuerySelector("[aria-labelledby=r-exp] .figure")!.TextContent, StringComparison.Ordinal);
        Clock.Advance(TimeSpan.FromMinutes(11));
        page = await OpenAsync(browser, "/admin/receipts/" + id);
        Assert.Contains("Over since", page.Document.QuerySelector("[aria-labelledby=r-exp] .figure")!.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_was_taken_back_has_a_receipt_too()
    {
        var rollover = admin.Server.Services.GetRequiredService<KeyRollover>();
        await rollover.ScheduleAsync("PS256", Clock.GetUtcNow().AddDays(3), force: false, "test", Ct);
        var kid = Assert.IsType<KeyOutcome.Done>(await rollover.CancelAsync("PS256", "cli", Ct)).Key.Kid;
        var (browser, list) = await EnterAsync(await BossAsync(), "/admin/receipts");

        var page = await OpenAsync(browser, RowsOf(list).Single(row => row.TextContent.Contains(kid[..9], StringComparison.Ordinal)).QuerySelector("a")!.GetAttribute("href")!);

        Assert.Equal($"Signing key {kid[..9]} taken back", page.Document.QuerySelector("h1")!.TextContent);
        Assert.Contains("its rollover was cancelled", page.Text, StringComparison.Ordinal);
        Assert.Contains("keep our key set", page.Document.QuerySelector("[aria-labelledby=r-exp]")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("1", page.Document.QuerySelector("[aria-labelledby=died] tbody td.end")!.TextContent);

        // Nobody is to be told, so nothing is waited for.
        var receipt = (await admin.Server.Services.GetRequiredService<IReceiptStore>().FindAsync(page.Address.Segments[^1], Ct))!;
        Assert.Equal((RevocationKind.Key, kid, receipt.At), (receipt.Kind, receipt.Key, receipt.NotifiedAt));
        Assert.Equal(receipt.At + KeyPolicy.StockClientCache + TimeSpan.FromMinutes(5), receipt.ExposedUntil);
    }

    [Fact]
    public async Task What_others_wrote_is_never_markup()
    {
        var person = await AddAsync();
        var sid = (await OpenSessionsAsync(person, 1, session => session with { UserAgent = "Firefox/1 " + Hostile, Address = "203.0.113.7" })).Single();
        await using (var db = await DatabaseAsync())
        {
            (await db.Users.SingleAsync(user => user.UserName == person.UserName, Ct)).Name = Hostile;
            await db.SaveChangesAsync(Ct);
        }

        var (browser, _) = await EnterAsync(await BossAsync(), "/admin/sessions");
        var list = await OpenAsync(browser, $"/admin/sessions?person={person.UserName}");
        AssertHarmless(list);
        var row = Assert.Single(RowsOf(list));
        Assert.Contains(Hostile, row.QuerySelector("th")!.TextContent, StringComparison.Ordinal);
        Assert.Contains("Firefox", row.TextContent, StringComparison.Ordinal);
        AssertHarmless(await OpenAsync(browser, $"/admin/sessions?person={Uri.EscapeDataString(Hostile)}&client={Uri.EscapeDataString(Hostile)}&address={Uri.EscapeDataString(Hostile)}&cursor={Uri.EscapeDataString(Hostile)}"));
        AssertHarmless(await OpenAsync(browser, $"/admin/sessions/end?person={Uri.EscapeDataString(Hostile)}"));

        var confirm = await OpenAsync(browser, "/admin/sessions/end?sid=" + sid);
        AssertHarmless(confirm);
        confirm = await SendAsync(browser, confirm, ("reason", Hostile + "\u0007"));
        AssertHarmless(confirm);
        Assert.NotNull(confirm.Document.QuerySelector("#reason-error"));

        // The latest of all: the clock stands still, and a list of receipts of one instant is in no order that we know.
        admin.Server.Clock.Advance(TimeSpan.FromSeconds(1));
        var page = await SendAsync(browser, confirm, ("reason", Hostile));

        AssertHarmless(page);
        Assert.Contains(Hostile, page.Document.QuerySelector(".page-head")!.TextContent, StringComparison.Ordinal);
        page = await OpenAsync(browser, "/admin/receipts");
        AssertHarmless(page);
        Assert.Contains(RowsOf(page), row => row.TextContent.Contains(Hostile, StringComparison.Ordinal));
    }

    private static void AssertHarmless(Page page)
    {
        Assert.True(page.Status is HttpStatusCode.OK, page.ToString());
        Assert.All(page.Document.Scripts, script => Assert.NotNull(script.GetAttribute("src")));
        Assert.Empty(page.Document.QuerySelectorAll("img, [onerror]"));
    }

    private static IEnumerable<IElement> RowsOf(Page page) => page.Document.QuerySelectorAll("#sessions tbody tr, #receipts tbody tr");

    private static string SidOf(IElement row) => row.QuerySelector("a.danger")!.GetAttribute("href")!.Split("sid=")[1];

    private static string? Next(Page page) => page.Document.QuerySelector("a[rel=next]")?.GetAttribute("href");

    private static IHtmlFormElement WithField(Page page, string name, string value)
    {
        var form = page.Forms.Single(form => form.Method == "post");
        foreach (var old in form.QuerySelectorAll("input[data-test]"))
        {
            old.Remove();
        }

        var field = page.Document.CreateElement("input");
        field.SetAttribute("type", "hidden");
        field.SetAttribute("name", name);
        field.SetAttribute("value", value);
        field.SetAttribute("data-test", "");
        form.AppendChild(field);
        return form;
    }

    private static Task<Page> SendAsync(Browser browser, Page page, params (string Name, string? Value)[] answers) =>
        browser.SubmitAsync(page, page.Forms.Single(form => form.Method == "post"), Answers(answers), null, Ct);

    private static Dictionary<string, string?> Answers(params (string Name, string? Value)[] answers) =>
        answers.ToDictionary(answer => answer.Name, answer => answer.Value, StringComparer.Ordinal);

    private Task<Page> OpenAsync(Browser browser, string path) => browser.OpenAsync(new Uri(admin.Server.Address, path), Ct);

    private async Task<(Browser Browser, Page Page)> EnterAsync(Person person, string path)
    {
        var browser = new Browser(admin.Server.Http);
        return (browser, await browser.SignInAsync(await OpenAsync(browser, path), person, Ct));
    }

    private Task<Person> AddAsync(params string[] roles) => admin.Server.AddPersonAsync("p" + Guid.NewGuid().ToString("N"), Ct, roles);

    private async Task<Person> AddAppAsync(params string[] roles) => await admin.Server.GiveAppAsync(await AddAsync(roles), Ct);

    private Task<Person> BossAsync() => AddAppAsync("admin");

    private async Task<string> SubjectAsync(Person person) =>
        (await admin.Server.Services.GetRequiredService<Storage.Users.ICredentials>().FindAsync(person.UserName, Ct))!.User.Id;

    /// <summary>Ends all that somebody has, by the command line; answers the receipt.</summary>
    private async Task<string> EndAsync(string subject) => Assert.Single(Assert.IsType<EndOutcome.Done>(
        await admin.Server.Services.GetRequiredService<EndingHelp>().EndPersonAsync(subject, Why, "cli", Ct)).Receipts).Id;

    private Task<ServerDb> DatabaseAsync() => admin.Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);

    /// <summary>Opens sessions as many browsers would; answers their ids, the earliest first.</summary>
    private async Task<IReadOnlyList<string>> OpenSessionsAsync(Person person, int count, Func<Session, Session>? change = null)
    {
        var ids = new List<string>();
        var subject = await SubjectAsync(person);
        var store = admin.Server.Services.GetRequiredService<ISessionStore>();
        var now = Clock.GetUtcNow();
        for (var i = 0; i < count; i++)
        {
            var session = new Session
            {
                Id = Handle.NewId(),
                Subject = subject,
                AuthenticatedAt = now,
                Amr = [Amr.Password],
                Acr = AcrValues.Password,
                CreatedAt = now.AddSeconds(i - count),
                LastSeenAt = now,
                IdleLifetime = TimeSpan.FromHours(1),
                ExpiresAt = now.AddHours(12),
            };
            session = change is null ? session : change(session);
            await store.OpenAsync(session, Handle.Create().Hash, new AuditEvent(AuditTypes.SignedIn, now) { Actor = "test" }, Ct);
            ids.Add(session.Id);
        }

        return ids;
    }
}
