using System.Net;
using IdentityServer.Protocol.Audit;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using static IdentityServer.ProtocolTests.Account.AccountServer;

namespace IdentityServer.ProtocolTests.Account;

/// <summary>Deleting one's account.</summary>
public sealed class DeletionTests(AccountServer server) : IClassFixture<AccountServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    // The audit log and the receipt; and, until no token of theirs can be alive, what tells nodes and APIs that they ended.
    private static readonly string[] _recordsOfTheEnd = ["AuditEvents", "Changes", "Receipts", "Revocations"];

    [Fact]
    public async Task A_deleted_account_leaves_nothing_behind_but_ids_in_the_records_of_its_end()
    {
        var person = await server.Server.GiveAppAsync(await server.AddPersonAsync(), Ct);
        var subject = (await server.FindAsync(person)).Id;
        var tokens = await server.Asking.SignInAsync(person, "openid profile offline_access", Ct);
        var (elsewhere, _) = await server.EnterAsync(person);
        await TryAsync(person with { Password = "a guess of somebody" });
        var (browser, page) = await server.EnterAsync(person, "/account/recovery-codes");
        await SendAsync(browser, page, null);
        page = await server.OpenAsync(browser, "/account/delete");
        var devices = await DevicesAsync(subject);
        Assert.NotEmpty(devices);
        Assert.NotEmpty(await TablesAboutAsync(subject));

        page = await SendAsync(browser, page, null, ("username", $" {person.UserName.ToUpperInvariant()} "));

        Assert.Equal("/account/deleted", page.Address.AbsolutePath);
        Assert.Contains("Your account is deleted", page.Text, StringComparison.Ordinal);
        Assert.Equal("/login", (await server.OpenAsync(browser, "/account")).Address.AbsolutePath);
        Assert.Equal("/login", (await server.OpenAsync(elsewhere, "/account")).Address.AbsolutePath);
        Check.TokenError(await server.Asking.RefreshAsync(tokens.RefreshToken!, Ct), "invalid_grant");
        Assert.Equal(401, (await server.Asking.UserInfoAsync(tokens.AccessToken!, Ct)).Status);
        Assert.False((bool)(await server.Asking.IntrospectAsync(tokens.AccessToken!, Ct)).Json!["active"]!);
        Assert.Equal("/login", (await TryAsync(person)).Address.AbsolutePath);
        Assert.Equal(_recordsOfTheEnd, await TablesAboutAsync(subject));
        foreach (var device in devices)
        {
            Assert.Empty(await TablesAboutAsync(device));
        }

        // SQLite keeps what was deleted until the page is needed.
        await using var db = await server.OpenAsync();
        await db.Database.ExecuteSqlRawAsync("VACUUM", Ct);
        await db.Database.ExecuteSqlRawAsync("PRAGMA wal_checkpoint(TRUNCATE)", Ct);
        var stored = await server.Server.ReadDatabaseAsync(Ct);
        Assert.DoesNotContain(person.UserName, stored, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(server.Alice.UserName, stored, StringComparison.Ordinal);
        var told = await db.AuditEvents.Where(audit => audit.Subject == subject && audit.Type == AuditTypes.UserDeleted).SingleAsync(Ct);
        Assert.Equal("user:" + subject, told.Actor);
    }

    [Fact]
    public async Task The_name_is_free_again_for_somebody_who_is_another_person()
    {
        var person = await server.AddPersonAsync();
        var before = (await server.FindAsync(person)).Id;
        await DeleteAsync(person);

        await server.Server.AddPersonAsync(person.UserName, Ct);

        Assert.NotEqual(before, (await server.FindAsync(person)).Id);
        Assert.Equal("/account", (await server.EnterAsync(person)).Page.Address.AbsolutePath);
    }

    [Theory]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData("yes")]
    public async Task Nothing_is_deleted_while_another_name_is_typed(string typed)
    {
        var person = await server.AddPersonAsync();
        var (browser, page) = await server.EnterAsync(person, "/account/delete");

        page = await SendAsync(browser, page, null, ("username", typed));

        Assert.Equal("/account/delete", page.Address.AbsolutePath);
        Assert.Contains("This is not your user name", page.Document.QuerySelector("#username-error")!.TextContent, StringComparison.Ordinal);
        Assert.Equal("/account", (await server.OpenAsync(browser, "/account")).Address.AbsolutePath);
        Assert.NotNull(await server.FindAsync(person));
    }

    [Fact]
    public async Task Of_the_admins_one_stays_also_when_they_leave_at_once()
    {
        var disabled = await server.AddPersonAsync("admin");
        await server.ChangeAsync(disabled, user => user.DisabledAt = server.Server.Clock.GetUtcNow());
        var first = await server.AddPersonAsync("admin");
        var second = await server.AddPersonAsync("admin");

        var pages = await Task.WhenAll(DeleteAsync(first), DeleteAsync(second));

        Assert.Single(pages, page => page.Address.AbsolutePath == "/account/deleted");
        var refused = Assert.Single(pages, page => page.Address.AbsolutePath == "/account/delete");
        Assert.Contains("You are the only administrator", refused.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_two_deletions_at_once_one_is_told_and_both_are_out()
    {
        var person = await server.AddPersonAsync();
        var subject = (await server.FindAsync(person)).Id;
        var (one, first) = await server.EnterAsync(person, "/account/delete");
        var (two, second) = await server.EnterAsync(person, "/account/delete");

        var pages = await Task.WhenAll(
            SendAsync(one, first, null, ("username", person.UserName)), SendAsync(two, second, null, ("username", person.UserName)));

        Assert.All(pages, page => Assert.Equal(HttpStatusCode.OK, page.Status));
        await using var db = await server.OpenAsync();
        Assert.Equal(1, await db.AuditEvents.CountAsync(audit => audit.Subject == subject && audit.Type == AuditTypes.UserDeleted, Ct));
        Assert.Equal(_recordsOfTheEnd, await TablesAboutAsync(subject));
    }

    [Fact]
    public async Task Nobody_is_told_of_a_deletion_that_was_not()
    {
        var page = await server.OpenAsync(new Browser(server.Server.Http), "/account/deleted");

        Assert.Equal("/", page.Address.AbsolutePath);
    }

    private async Task<Page> DeleteAsync(Person person)
    {
        var (browser, page) = await server.EnterAsync(person, "/account/delete");
        return await SendAsync(browser, page, null, ("username", person.UserName));
    }

    private async Task<Page> TryAsync(Person person)
    {
        var browser = new Browser(server.Server.Http);
        return await browser.SignInAsync(await server.OpenAsync(browser, "/login"), person, Ct);
    }

    private async Task<IReadOnlyList<string>> DevicesAsync(string subject)
    {
        await using var db = await server.OpenAsync();
        return await db.Devices.Where(device => device.Subject == subject).Select(device => device.Id).ToListAsync(Ct);
    }

    /// <summary>The tables in which any column of any row has the text.</summary>
    private async Task<IReadOnlyList<string>> TablesAboutAsync(string text)
    {
        await using var db = await server.OpenAsync();
        var tables = await db.Database.SqlQueryRaw<string>("SELECT name AS Value FROM sqlite_master WHERE type = 'table' ORDER BY name").ToListAsync(Ct);
        Assert.True(tables.Count > 20);
        var found = new List<string>();
        foreach (var table in tables)
        {
            var columns = await db.Database.SqlQueryRaw<string>("SELECT name AS Value FROM pragma_table_info({0})", table).ToListAsync(Ct);
            var condition = string.Join(" OR ", columns.Select(column => $"instr(CAST(\"{column}\" AS TEXT), {{0}}) > 0"));
#pragma warning disable EF1002 // names of our own tables
            var count = await db.Database.SqlQueryRaw<long>($"SELECT count(*) AS Value FROM \"{table}\" WHERE {condition}", text).SingleAsync(Ct);
#pragma warning restore EF1002
            if (count > 0)
            {
                found.Add(table);
            }
        }

        return found;
    }
}
