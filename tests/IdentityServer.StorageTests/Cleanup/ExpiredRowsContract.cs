using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Keys;
using IdentityServer.Protocol.Pending;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Cleanup;
using IdentityServer.Storage.Clients;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Grants;
using IdentityServer.Storage.Jobs;
using IdentityServer.Storage.Users;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Cleanup;

public sealed class ExpiredRowsContract : Contract
{
    private static readonly TimeSpan _margin = TimeSpan.FromHours(1);
    private static readonly TimeSpan _remembered = TimeSpan.FromDays(30);

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Nothing_alive_is_ever_deleted(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var expected = await FillAsync(storage);

        var deleted = await DeleteAsync(storage, Samples.Now);

        Assert.Empty(deleted);
        Assert.Equal(expected, await CountsAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task In_the_end_everything_goes_and_the_log_counts_on(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var expected = await FillAsync(storage);
        var last = await storage.Get<IChangeLog>().LatestAsync(Ct);

        var deleted = await DeleteAsync(storage, Samples.Now.AddDays(500));

        Assert.Equal(expected.OrderBy(row => row.Key, StringComparer.Ordinal), deleted.OrderBy(row => row.Key, StringComparer.Ordinal));
        Assert.All((await CountsAsync(storage)).Values, count => Assert.Equal(0, count));

        // Or nodes that have read so far would never see what comes next.
        await EndAsync(storage, Samples.Revocation(RevocationKind.Token, Handle.NewId()));
        Assert.True(await storage.Get<IChangeLog>().LatestAsync(Ct) > last);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_second_run_finds_nothing_and_two_nodes_may_run_at_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var second = storage.AnotherNode();
        var expected = await FillAsync(storage);
        TestStorage[] nodes = [storage, second];

        var both = await AtOnceAsync(2, i => DeleteAsync(nodes[i], Samples.Now.AddDays(500)));

        Assert.Equal(expected.Values.Sum(), both.Sum(deleted => deleted.Values.Sum()));
        Assert.Empty(await DeleteAsync(storage, Samples.Now.AddDays(500)));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task More_than_a_batch_goes_in_one_run(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        const int Rows = (ExpiredRows.BatchSize * 2) + 7;
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            db.UsedValues.AddRange(Enumerable.Range(0, Rows).Select(i =>
                new UsedValue(Handle.Create().Hash, Samples.Now.AddMilliseconds(i / 2))));
            db.UsedValues.Add(new UsedValue(Handle.Create().Hash, Samples.Now.AddHours(2)));
            await db.SaveChangesAsync(Ct);
        }

        var deleted = await DeleteAsync(storage, Samples.Now.AddHours(2));

        Assert.Equal(Rows, deleted.GetValueOrDefault("UsedValues"));
        Assert.Equal(1, await CountAsync<UsedValue>(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_ended_in_the_same_instant_goes_in_batches_too(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        const int Rows = (ExpiredRows.BatchSize * 3) + 7;
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            db.UsedValues.AddRange(Enumerable.Range(0, Rows).Select(i => new UsedValue(Handle.Create().Hash, Samples.Now)));
            await db.SaveChangesAsync(Ct);
        }

        var deeds = new CountedDeeds(storage.Get<IDeeds>());
        var deleted = await new ExpiredRows(storage.Get<IStatements>(), deeds, TimeProvider.System).DeleteAsync(Samples.Now.AddHours(2), Ct);

        Assert.Equal(Rows, deleted["UsedValues"]);
        Assert.Equal(ExpiredRows.BatchSize, deeds.Largest);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_spent_refresh_token_is_known_as_spent_until_its_own_end(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var token = await RefreshTokenAsync(storage);
        await grants.SpendAsync(token, [Samples.Token(token.Grant) with { ExpiresAt = Samples.Now.AddDays(30) }], [1], Samples.Now, Samples.Audit(), Ct);

        await DeleteAsync(storage, token.ExpiresAt + _margin - TimeSpan.FromMilliseconds(1));
        var replayed = await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct);
        await DeleteAsync(storage, token.ExpiresAt + _margin);

        Assert.Equal(Samples.Now, replayed!.SpentAt);
        Assert.Null(replayed.Grant!.EndedAt);
        Assert.Null(await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct));
        Assert.NotNull(await grants.FindTokenAsync(TokenKind.Refresh, (await OnlyTokenAsync(storage)).Hash, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_ended_grant_is_kept_for_thirty_days(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var grants = storage.Get<IGrantStore>();
        var (ended, alive) = (await RefreshTokenAsync(storage), await RefreshTokenAsync(storage));
        await storage.Get<IRevocationStore>().EndGrantAsync(
            Samples.Revocation(RevocationKind.Grant, ended.Grant!.Id), Samples.Ending(), Ct);

        await DeleteAsync(storage, Samples.Now + _remembered - TimeSpan.FromMilliseconds(1));
        var before = await grants.FindAsync(ended.Grant.Id, Ct);
        await DeleteAsync(storage, Samples.Now + _remembered);

        Assert.Equal(Samples.Now, before!.EndedAt);
        Assert.Null(await grants.FindAsync(ended.Grant.Id, Ct));
        Assert.NotNull(await grants.FindAsync(alive.Grant!.Id, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_session_stays_as_long_as_a_grant_reads_its_end_off_it(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sessions = storage.Get<ISessionStore>();
        var withGrant = await SignInAsync(storage);
        var without = await SignInAsync(storage);
        await RefreshTokenAsync(storage, Samples.Grant(withGrant, offline: true));
        var grantGoes = Samples.Now.AddDays(90) + _remembered;

        await DeleteAsync(storage, without.ExpiresAt + _remembered - TimeSpan.FromMilliseconds(1));
        Assert.NotNull(await sessions.FindAsync(without.Id, Ct));
        await DeleteAsync(storage, grantGoes - TimeSpan.FromMilliseconds(1));
        Assert.Null(await sessions.FindAsync(without.Id, Ct));
        Assert.NotNull(await sessions.FindAsync(withGrant.Id, Ct));
        await DeleteAsync(storage, grantGoes);
        Assert.Null(await sessions.FindAsync(withGrant.Id, Ct));
    }

    /// <summary>One live row or more in every table that is cleaned. Answers how many there are.</summary>
    private static async Task<IReadOnlyDictionary<string, int>> FillAsync(TestStorage storage)
    {
        var spent = await RefreshTokenAsync(storage);
        await storage.Get<IGrantStore>().SpendAsync(
            spent,
            [Samples.Token(spent.Grant), Samples.Token(spent.Grant, TokenKind.Reference)],
            [1],
            Samples.Now,
            Samples.Audit(),
            Ct);
        await RefreshTokenAsync(storage, offline: true);
        await EndAsync(storage, Samples.Revocation(RevocationKind.Token, Handle.NewId()));
        var ended = await RefreshTokenAsync(storage);
        await storage.Get<IRevocationStore>().EndGrantAsync(
            Samples.Revocation(RevocationKind.Grant, ended.Grant!.Id), Samples.Ending(), Ct);
        await storage.Get<IKeyUseStore>().AddAsync([new KeyUse("kid", "web", Samples.Now.AddHours(1), 1)], Ct);
        await storage.Get<IReplayStore>().TryUseAsync("assertion", "one", Samples.Now.AddMinutes(1), Ct);
        await storage.Get<IPendingRequestStore>().SaveAsync(
            new PendingRequest
            {
                Hash = Handle.Create().Hash,
                Parameters = new Dictionary<string, string>(StringComparer.Ordinal),
                StartedAt = Samples.Now,
                ExpiresAt = Samples.Now.AddMinutes(1),
            },
            Ct);
        await storage.Get<ISetupLinks>().CreateAsync(
            Handle.Create().Hash, Samples.Now, Samples.Now.AddMinutes(30), Samples.Audit(), Ct);
        await storage.Get<IJobHistory>().RecordAsync(
            new("cleanup", "node", Samples.Now, Samples.Now, JobOutcome.Ok, null), Ct);
        return await CountsAsync(storage);
    }

    private static async Task<IReadOnlyDictionary<string, int>> CountsAsync(TestStorage storage) => new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["Tokens"] = await CountAsync<TokenRow>(storage),
        ["PendingRequests"] = await CountAsync<PendingRequest>(storage),
        ["UsedValues"] = await CountAsync<UsedValue>(storage),
        ["Receipts"] = await CountAsync<Receipt>(storage),
        ["Revocations"] = await CountAsync<Revocation>(storage),
        ["KeyUses"] = await CountAsync<KeyUse>(storage),
        ["SetupLinks"] = await CountAsync<SetupLink>(storage),
        ["Grants"] = await CountAsync<Grant>(storage),
        ["Sessions"] = await CountAsync<Session>(storage),
        ["Changes"] = await CountAsync<Change>(storage),
        ["JobRuns"] = await CountAsync<JobRun>(storage),
    };

    private static async Task<TokenRow> OnlyTokenAsync(TestStorage storage)
    {
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        return await db.Tokens.SingleAsync(token => token.Kind == TokenKind.Refresh, Ct);
    }

    private static async Task<IReadOnlyDictionary<string, int>> DeleteAsync(TestStorage storage, DateTimeOffset now) =>
        await storage.Get<IExpiredRows>().DeleteAsync(now, Ct);

    private static async Task EndAsync(TestStorage storage, Revocation revocation) =>
        await storage.Get<IRevocationStore>().EndTokenAsync(revocation, null, Samples.Ending(), Ct);

    /// <summary>The real ones; remembers how many rows a statement changed at most.</summary>
    private sealed class CountedDeeds(IDeeds deeds) : IDeeds
    {
        public int Largest { get; private set; }

        public Task<T> RunAsync<T>(Func<ServerDb, CancellationToken, Task<T>> deed, CancellationToken ct) => deeds.RunAsync(deed, ct);

        public Task<bool> DecideAsync(ConditionalDeed deed, object?[] values, CancellationToken ct) => deeds.DecideAsync(deed, values, ct);

        public async Task<int> ExecuteAsync(Statement statement, object?[] values, CancellationToken ct)
        {
            var rows = await deeds.ExecuteAsync(statement, values, ct);
            Largest = Math.Max(Largest, rows);
            return rows;
        }
    }
}
