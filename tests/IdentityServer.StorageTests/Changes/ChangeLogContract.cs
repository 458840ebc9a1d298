using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Storage;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Changes;

public sealed class ChangeLogContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_log_is_read_on_from_any_place_in_order(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var log = storage.Get<IChangeLog>();
        Assert.Equal(0, await log.LatestAsync(Ct));
        Assert.Empty(await log.ReadAsync(0, Ct));

        foreach (var name in new[] { "a", "b", "c" })
        {
            await storage.Get<IScopeStore>().AddScopeAsync(new(name), Samples.Audit(), Ct);
        }

        var all = await log.ReadAsync(0, Ct);
        Assert.Equal(["a", "b", "c"], all.Select(change => change.Key));
        Assert.Equal(Samples.Now, all[0].At);
        Assert.Equal(all[2].Sequence, await log.LatestAsync(Ct));
        Assert.Equal(["c"], (await log.ReadAsync(all[1].Sequence, Ct)).Select(change => change.Key));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_last_row_before_an_instant_is_found(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var log = storage.Get<IChangeLog>();
        Assert.Equal(0, await log.LatestBeforeAsync(Samples.Now, Ct));
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            for (var i = 0; i < 3; i++)
            {
                db.Announce(ChangeKind.Key, $"k{i}", Samples.Now.AddSeconds(i));
                await db.SaveChangesAsync(Ct);
            }
        }

        var all = await log.ReadAsync(0, Ct);
        Assert.Equal(0, await log.LatestBeforeAsync(Samples.Now, Ct));
        Assert.Equal(all[0].Sequence, await log.LatestBeforeAsync(Samples.Now.AddSeconds(1), Ct));
        Assert.Equal(all[2].Sequence, await log.LatestBeforeAsync(Samples.Now.AddDays(1), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_page_has_at_most_a_thousand_rows(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            for (var i = 0; i < 1001; i++)
            {
                db.Announce(ChangeKind.Key, $"k{i}", Samples.Now);
            }

            await db.SaveChangesAsync(Ct);
        }

        var page = await storage.Get<IChangeLog>().ReadAsync(0, Ct);

        Assert.Equal(1000, page.Count);
        Assert.Single(await storage.Get<IChangeLog>().ReadAsync(page[^1].Sequence, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Sequences_are_never_used_again(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await storage.Get<IScopeStore>().AddScopeAsync(new("a"), Samples.Audit(), Ct);
        var before = await storage.Get<IChangeLog>().LatestAsync(Ct);
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            await db.Changes.ExecuteDeleteAsync(Ct);
        }

        await storage.Get<IScopeStore>().AddScopeAsync(new("b"), Samples.Audit(), Ct);

        Assert.True(await storage.Get<IChangeLog>().LatestAsync(Ct) > before);
    }

    [Fact]
    public async Task On_PostgreSql_a_change_rings_at_the_other_nodes_once_it_is_there_to_be_read()
    {
        await using var storage = await TestStorage.OpenAsync(DatabaseProvider.PostgreSql, Ct);
        await using var other = storage.AnotherNode();
        var rung = other.Get<IDoorbell>().WaitAsync(Ct);

        // Until it listens nothing is heard.
        var before = await storage.Get<IChangeLog>().LatestAsync(Ct);
        for (var i = 0; i < 100 && !rung.IsCompleted; i++)
        {
            await storage.Get<IRevocationStore>().EndTokenAsync(
                Samples.Revocation(RevocationKind.Token, Handle.NewId()), null, Samples.Ending(), Ct);
            await Task.WhenAny(rung, Task.Delay(TimeSpan.FromMilliseconds(100), Ct));
        }

        Assert.True(rung.IsCompletedSuccessfully);
        Assert.NotEmpty(await other.Get<IChangeLog>().ReadAsync(before, Ct));
    }
}
