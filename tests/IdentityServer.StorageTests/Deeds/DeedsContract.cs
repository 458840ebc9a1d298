using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Storage;
using IdentityServer.Storage.Clients;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Users;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using SQLitePCL;

namespace IdentityServer.StorageTests.Deeds;

public sealed class DeedsContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_deed_that_fails_fails_alone_and_leaves_nothing(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var deeds = storage.Get<IDeeds>();

        var answers = await AtOnceAsync(40, async i => await Record.ExceptionAsync(() => deeds.RunAsync(
            async (db, ct) =>
            {
                db.UsedValues.Add(new UsedValue(Handle.HashOf($"{i}"), Samples.Now));
                await db.SaveChangesAsync(ct);
                return i % 4 == 0 ? throw new InvalidTimeZoneException($"{i}") : i;
            },
            Ct)));

        for (var i = 0; i < answers.Length; i++)
        {
            Assert.Equal(i % 4 == 0 ? $"{i}" : null, answers[i]?.Message);
        }

        Assert.Equal(30, await CountAsync<UsedValue>(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_unique_violation_is_undone_and_the_next_deed_is_fine(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var replays = storage.Get<IReplayStore>();

        for (var i = 0; i < 10; i++)
        {
            Assert.True(await replays.TryUseAsync("p", $"{i}", Samples.Now, Ct));
            Assert.False(await replays.TryUseAsync("p", $"{i}", Samples.Now, Ct));
        }

        Assert.Equal(10, await CountAsync<UsedValue>(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_waits_is_done_before_the_storage_closes(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        Task<bool>[] waiting;
        await using (var node = storage.AnotherNode())
        {
            waiting = [.. Enumerable.Range(0, 50).Select(i =>
                node.Get<IReplayStore>().TryUseAsync("p", $"{i}", Samples.Now, Ct).AsTask())];
            if (provider != DatabaseProvider.Sqlite)
            {
                await Task.WhenAll(waiting);
            }
        }

        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.Equal(50, await CountAsync<UsedValue>(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task People_are_changed_while_deeds_are_done(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        using var done = new CancellationTokenSource();
        var token = await RefreshTokenAsync(storage);
        var deeds = Enumerable.Range(0, 8).Select(async _ =>
        {
            var count = 0;
            while (!done.IsCancellationRequested)
            {
                await Task.Yield();
                var reference = Samples.Token(token.Grant, TokenKind.Reference);
                Assert.True(await storage.Get<IGrantStore>().AddTokenAsync(reference, Samples.Audit(), Ct));
                count++;
            }

            return count;
        }).ToArray();

        try
        {
            for (var i = 0; i < 10; i++)
            {
                var result = await other.Get<IdentityServer.Storage.Users.Users>()
                    .AddAsync(new User($"user{i}"), null, [Roles.Support], Samples.Audit(), Ct);
                Assert.True(result.Succeeded, result.ToString());
            }
        }
        finally
        {
            await done.CancelAsync();
        }

        Assert.All(await Task.WhenAll(deeds), count => Assert.True(count > 0));
        Assert.Equal(10, await CountAsync<User>(storage));
    }

    [Fact]
    public async Task Sqlite_deeds_that_wait_together_are_committed_together()
    {
        await using var storage = await TestStorage.OpenAsync(DatabaseProvider.Sqlite, Ct);
        var deeds = storage.Get<IDeeds>();
        var commits = 0;
        await deeds.RunAsync(
            (db, _) =>
            {
                raw.sqlite3_commit_hook(
                    ((SqliteConnection)db.Database.GetDbConnection()).Handle, _ => Interlocked.Increment(ref commits) * 0, null);
                return Task.FromResult(true);
            },
            Ct);
        var before = commits;

        Task<bool>[] waiting;
        await using (var blocker = new SqliteConnection(storage.Options.ConnectionString))
        {
            await blocker.OpenAsync(Ct);
            await using var transaction = await blocker.BeginTransactionAsync(Ct);
            waiting = [.. Enumerable.Range(0, 60).Select(i =>
                storage.Get<IReplayStore>().TryUseAsync("p", $"{i}", Samples.Now, Ct).AsTask())];
            Assert.All(waiting, task => Assert.False(task.IsCompleted));
            await transaction.RollbackAsync(Ct);
        }

        Assert.All(await Task.WhenAll(waiting), Assert.True);
        Assert.InRange(commits - before, 1, 2); // the one that was first in line, and all the others
    }

    [Fact]
    public async Task Sqlite_is_told_to_flush_and_to_wait_on_every_connection()
    {
        await using var storage = await TestStorage.OpenAsync(DatabaseProvider.Sqlite, Ct);
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);

        (string, string)[] expected =
            [("journal_mode", "wal"), ("synchronous", "2"), ("busy_timeout", "5000"), ("foreign_keys", "1")];
        Assert.Equal(expected, await SettingsAsync(db, Ct));
        Assert.Equal(expected, await storage.Get<IDeeds>().RunAsync(SettingsAsync, Ct));

        static async Task<(string, string)[]> SettingsAsync(ServerDb db, CancellationToken ct)
        {
            var found = new List<(string, string)>();
            await db.Database.OpenConnectionAsync(ct);
            foreach (var name in new[] { "journal_mode", "synchronous", "busy_timeout", "foreign_keys" })
            {
                await using var command = db.Database.GetDbConnection().CreateCommand();
#pragma warning disable CA2100 // names from the list above
                command.CommandText = $"PRAGMA {name}";
#pragma warning restore CA2100
                found.Add((name, $"{await command.ExecuteScalarAsync(ct)}"));
            }

            await db.Database.CloseConnectionAsync();
            return [.. found];
        }
    }

    [Fact]
    public async Task Another_process_gets_its_turn_while_sqlite_is_busy()
    {
        await using var storage = await TestStorage.OpenAsync(DatabaseProvider.Sqlite, Ct);
        using var done = new CancellationTokenSource();
        var busy = Enumerable.Range(0, 32).Select(async worker =>
        {
            for (var i = 0; !done.IsCancellationRequested; i++)
            {
                await storage.Get<IReplayStore>().TryUseAsync($"{worker}", $"{i}", Samples.Now, Ct);
            }
        }).ToArray();

        await using var other = storage.AnotherNode();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                Assert.True(await other.Get<IReplayStore>().TryUseAsync("other", $"{i}", Samples.Now, Ct));
            }
        }
        finally
        {
            await done.CancelAsync();
        }

        await Task.WhenAll(busy);
    }

    [Fact]
    public async Task Postgres_connections_cut_at_any_moment_lose_nothing_that_was_answered()
    {
        await using var storage = await TestStorage.OpenAsync(DatabaseProvider.PostgreSql, Ct);
        await using var killer = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(storage.Options.ConnectionString) { Pooling = false }.ToString());
        await killer.OpenAsync(Ct);
        var cut = false;

        var answers = AtOnceAsync(8, async worker =>
        {
            var outcomes = new List<(string Type, bool Done)>();
            for (var i = 0; i < 40; i++)
            {
                var type = $"{worker}.{i}";
                var error = await Record.ExceptionAsync(
                    () => storage.Get<IAuditLog>().WriteAsync([Samples.Audit(type), Samples.Audit(type)], Ct).AsTask());
                outcomes.Add((type, error is null));
            }

            return outcomes;
        });
        while (!answers.IsCompleted)
        {
            await using var command = new NpgsqlCommand(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
                killer);
            cut |= await command.ExecuteScalarAsync(Ct) is > 0L;
        }

        Assert.True(cut);
        NpgsqlConnection.ClearAllPools(); // those that were cut while idle
        var stored = (await AuditTypesAsync(storage)).CountBy(type => type).ToDictionary();
        foreach (var (type, done) in (await answers).SelectMany(outcomes => outcomes))
        {
            var count = stored.GetValueOrDefault(type);
            Assert.True(done ? count == 2 : count is 0 or 2, $"{type}: answered {done}, stored {count}");
        }
    }
}
