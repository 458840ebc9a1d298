using IdentityServer.Logout;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage.Logout;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Logout;

/// <summary>Two nodes on one PostgreSQL.</summary>
public sealed class TwoNodesTests
{
    private const int Sessions = 24;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_ending_is_told_once_whichever_node_it_happened_on()
    {
        await using var postgres = await PostgresServer.StartAsync(durable: false, Ct);
        var database = await postgres.CreateDatabaseAsync(Ct);
        await using var receiver = await LogoutReceiver.StartAsync(ServerFolder.FreePort(), Ct);
        string? masterKey = null;
        await using var one = await StartAsync();
        await using var other = await StartAsync();
        ServerFixture[] nodes = [one, other];
        var person = await one.AddPersonAsync("alice", Ct);
        var app = await one.AddWebAppAsync(
            "app", Ct, client => client with { RequireConsent = false, BackChannelLogoutUri = receiver.Address });
        await other.Services.GetRequiredService<Protocol.Changes.ChangeFeed>().PollAsync(Ct);

        var ended = new List<string>();
        for (var i = 0; i < Sessions; i++)
        {
            var token = (await app.SignInAsync(person, "openid", Ct)).IdToken!;
            ended.Add(token["sid"]!);
            await nodes[i % 2].Services.GetRequiredService<Revoker>().EndSessionAsync(
                token["sid"]!, token["sub"]!, alsoOffline: false, new Cause("test", "system", null), Ct);
            foreach (var node in nodes)
            {
                node.Services.GetRequiredService<LogoutBell>().Ring();
            }
        }

        var told = new List<Told>();
        while (told.Count < Sessions)
        {
            told.Add(await receiver.ReceiveAsync(Ct));
        }

        while (await one.Services.GetRequiredService<ILogoutNotices>().CountAsync(one.Clock.GetUtcNow().AddDays(-1), Ct) is { Waiting: > 0 })
        {
            await Task.Delay(10, Ct);
        }

        Assert.Equal(ended.Order(StringComparer.Ordinal), told.Select(call => call.Token!["sid"]!).Order(StringComparer.Ordinal));
        Assert.Equal(Sessions, told.Select(call => call.Jti).Distinct(StringComparer.Ordinal).Count());
        Assert.Empty(receiver.TakeRest());

        Task<ServerFixture> StartAsync() => ServerFixture.StartAsync(
            Ct,
            settings =>
            {
                settings["IdentityServer:Database:Provider"] = "PostgreSql";
                settings["IdentityServer:Database:ConnectionString"] = database;
                settings["IdentityServer:MasterKey:Path"] = masterKey ??= settings["IdentityServer:MasterKey:Path"];
            },
            services => services.AddSingleton(new LogoutReach(LoopbackInTheClear: true)));
    }
}
