using IdentityServer.Protocol.Audit;
using IdentityServer.SignIn;
using IdentityServer.Storage.Users;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Person = IdentityServer.Testing.Person;

namespace IdentityServer.ProtocolTests.SignIn;

/// <summary>What works once works once, at whichever of two servers on one PostgreSQL it is typed.</summary>
public sealed class TwoNodesTests
{
    private const int AtOnce = 6;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_code_and_a_recovery_code_work_at_one_node_once_when_typed_at_two_at_the_same_moment()
    {
        await using var postgres = await PostgresServer.StartAsync(durable: false, Ct);
        var database = await postgres.CreateDatabaseAsync(Ct);
        string? masterKey = null;
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        ServerFixture[] nodes = [one, other];
        other.Clock.SetUtcNow(one.Clock.GetUtcNow());
        var person = await one.GiveAppAsync(await one.AddPersonAsync("alice", Ct), Ct);
        var subject = (await one.Services.GetRequiredService<ICredentials>().FindAsync("alice", Ct))!.User.Id;

        var code = person.App!.NextCode();
        var typed = await AllAsync("/login/code", "code", code);

        Assert.Single(typed, page => page.Address.AbsolutePath == "/account");
        Assert.Equal(AtOnce - 1, typed.Count(page => page.Address.AbsolutePath == "/login/code"));

        var recovery = (await one.Services.GetRequiredService<RecoveryCodes>().MakeAsync(
            subject, new AuditEvent(AuditTypes.RecoveryCodesMade, one.Clock.GetUtcNow()) { Subject = subject }, null, Ct))[0];
        typed = await AllAsync("/login/recovery", "recovery", recovery);

        Assert.Single(typed, page => page.Address.AbsolutePath == "/account");

        async Task<Page[]> AllAsync(string path, string field, string text)
        {
            var ready = new List<(Browser Browser, Page Page)>();
            for (var i = 0; i < AtOnce; i++)
            {
                var browser = new Browser(nodes[i % 2].Http);
                var page = await browser.SignInAsync(
                    await browser.OpenAsync(new Uri(nodes[i % 2].Address, "/login?to=account"), Ct), person with { App = null }, Ct);
                ready.Add((browser, await browser.OpenAsync(new Uri(page.Address, path + page.Address.Query), Ct)));
            }

            return await Task.WhenAll(ready.Select(visit => visit.Browser.SubmitAsync(
                visit.Page, visit.Page.Forms.First(), new Dictionary<string, string?>(StringComparer.Ordinal) { [field] = text }, null, Ct)));
        }

        Task<ServerFixture> StartAsync() => ServerFixture.StartAsync(Ct, settings =>
        {
            settings["IdentityServer:Database:Provider"] = "PostgreSql";
            settings["IdentityServer:Database:ConnectionString"] = database;
            settings["IdentityServer:MasterKey:Path"] = masterKey ??= settings["IdentityServer:MasterKey:Path"];
        });
    }
}
