using System.Collections.Frozen;
using IdentityServer.Protocol;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Cleanup;
using IdentityServer.Storage.Logout;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Logout;

public sealed class LogoutNoticesContract : Contract
{
    private static readonly TimeSpan _lease = TimeSpan.FromMinutes(1);

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_ended_session_makes_a_notice_for_each_client_that_took_part_and_wants_it(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await AddClientsAsync(storage);
        var session = await SignInAsync(storage);
        await OpenGrantsAsync(storage, session, "told", "told", "told-too", "silent");
        await OpenGrantsAsync(storage, await SignInAsync(storage), "told");
        var receipt = await EndAsync(storage, session);
        var notices = storage.Get<ILogoutNotices>();

        Assert.Equal([receipt.Id], await notices.UntoldAsync(10, Ct));
        Assert.Equal(2, await notices.QueueAsync(receipt.Id, Samples.Now.AddSeconds(1), Ct));

        Assert.Empty(await notices.UntoldAsync(10, Ct));
        Assert.Equal(0, await notices.QueueAsync(receipt.Id, Samples.Now.AddSeconds(2), Ct));
        Assert.Equal(Samples.Now.AddSeconds(1), (await storage.Get<IReceiptStore>().FindAsync(receipt.Id, Ct))!.NotifiedAt);
        var listed = await notices.ListAsync(receipt.Id, Ct);
        Assert.Equal(["told", "told-too"], listed.Select(notice => notice.ClientId));
        Assert.All(listed, notice => Assert.Equal(
            (receipt.Id, session.Subject, session.Id, Samples.Now.AddSeconds(1), 0),
            (notice.ReceiptId, notice.Subject, notice.SessionId, notice.CreatedAt, notice.Attempts)));
        Assert.Equal(["told", "told-too"], (await notices.DueClientsAsync(Samples.Now.AddSeconds(1), Ct)).Order(StringComparer.Ordinal));
        Assert.Empty(await notices.DueClientsAsync(Samples.Now, Ct));
        Assert.Equal([listed[0]], await notices.DueAsync("told", Samples.Now.AddSeconds(1), 10, Ct));
        Assert.Empty(await notices.ListAsync("no such receipt\0", Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_person_s_cutoff_tells_of_every_session_but_the_one_that_goes_on(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await AddClientsAsync(storage);
        var subject = Handle.NewId();
        var sessions = new List<Session>();
        for (var i = 0; i < 3; i++)
        {
            var session = Samples.Session(subject);
            await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
            await OpenGrantsAsync(storage, session, "told");
            sessions.Add(session);
        }

        await OpenGrantsAsync(storage, await SignInAsync(storage), "told");
        var receipt = Samples.Ending(kind: RevocationKind.Subject, key: subject);
        await storage.Get<IRevocationStore>().EndPersonAsync(
            Samples.Revocation(RevocationKind.Subject, subject), sessions[0].Id, null, receipt, Ct);

        Assert.Equal(2, await storage.Get<ILogoutNotices>().QueueAsync(receipt.Receipt.Id, Samples.Now, Ct));

        Assert.Equal(
            sessions.Skip(1).Select(session => session.Id).Order(StringComparer.Ordinal),
            (await storage.Get<ILogoutNotices>().ListAsync(receipt.Receipt.Id, Ct)).Select(notice => notice.SessionId).Order(StringComparer.Ordinal));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_does_not_end_a_session_tells_nobody(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var token = await RefreshTokenAsync(storage);
        await storage.Get<IRevocationStore>().EndGrantAsync(
            Samples.Revocation(RevocationKind.Grant, token.Grant!.Id), Samples.Ending(key: token.Grant.Id), Ct);

        Assert.Empty(await storage.Get<ILogoutNotices>().UntoldAsync(10, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Nodes_that_tell_of_many_sessions_at_once_make_each_notice_once(DatabaseProvider provider)
    {
        const int Sessions = 450;
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var second = storage.AnotherNode();
        await AddClientsAsync(storage);
        for (var i = 0; i < Sessions; i++)
        {
            await OpenGrantsAsync(storage, await SignInAsync(storage), "told");
        }

        var ending = Samples.Ending(kind: RevocationKind.Everything, key: Revocation.Everyone);
        await storage.Get<IRevocationStore>().EndEverythingAsync(Samples.Revocation(RevocationKind.Everything, Revocation.Everyone), ending, Ct);
        ILogoutNotices[] nodes = [storage.Get<ILogoutNotices>(), second.Get<ILogoutNotices>()];

        await AtOnceAsync(4, i => nodes[i % 2].QueueAsync(ending.Receipt.Id, Samples.Now, Ct).AsTask());

        Assert.Equal(Sessions, await CountAsync<LogoutNotice>(storage));
        Assert.Empty(await nodes[0].UntoldAsync(10, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_two_nodes_that_take_a_notice_at_once_one_gets_it(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var second = storage.AnotherNode();
        ILogoutNotices[] nodes = [storage.Get<ILogoutNotices>(), second.Get<ILogoutNotices>()];
        for (var round = 0; round < 10; round++)
        {
            var notice = await AddAsync(storage);

            var claims = await AtOnceAsync(8, i => nodes[i % 2].ClaimAsync(notice, Samples.Now + _lease, Ct).AsTask());

            var claimed = Assert.Single(claims, claim => claim is not null)!;
            Assert.Equal(notice with { NextAttemptAt = Samples.Now + _lease, Attempts = 1 }, claimed);
            Assert.Empty(await nodes[0].DueAsync("told", Samples.Now + _lease - TimeSpan.FromMilliseconds(1), 10, Ct));
            await nodes[0].RecordDeliveredAsync(claimed, Samples.Now, Ct);
            Assert.Empty(await nodes[0].DueAsync("told", Samples.Now.AddDays(9), 10, Ct));
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task When_a_node_dies_with_a_notice_another_takes_it_later_and_the_first_has_no_say(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var notices = storage.Get<ILogoutNotices>();
        var slow = (await notices.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        var due = Assert.Single(await notices.DueAsync("told", Samples.Now + _lease, 10, Ct));
        var next = (await notices.ClaimAsync(due, Samples.Now + _lease + _lease, Ct))!;

        await notices.RecordFailureAsync(slow, "slow", Samples.Now, Ct);
        Assert.False(await notices.GiveUpAsync(slow, "slow", Samples.Now, Samples.Audit(), Ct));

        Assert.Equal((slow, 2), (due, next.Attempts));
        Assert.Equal([next], await notices.ListAsync(next.ReceiptId, Ct));
        Assert.Empty(await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_is_due_for_a_client_is_put_off_and_nothing_else(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var notices = storage.Get<ILogoutNotices>();
        var claimed = (await notices.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        var (waiting, others) = (await AddAsync(storage), await AddAsync(storage, "other"));

        await notices.PostponeAsync("told", Samples.Now, Samples.Now.AddMinutes(5), Ct);

        Assert.Equal([claimed], await notices.DueAsync("told", Samples.Now.AddMinutes(4), 10, Ct));
        Assert.Equal([waiting with { NextAttemptAt = Samples.Now.AddMinutes(5) }], await notices.ListAsync(waiting.ReceiptId, Ct));
        Assert.Equal([others], await notices.DueAsync("other", Samples.Now, 10, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_is_given_up_is_listed_and_counted_and_can_be_tried_once_more(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var notices = storage.Get<ILogoutNotices>();
        var dead = (await notices.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        var told = (await notices.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        var waiting = await AddAsync(storage);

        Assert.True(await notices.GiveUpAsync(dead, new string('e', 300) + "\0", Samples.Now, Samples.Audit("logout.given_up"), Ct));
        await notices.RecordDeliveredAsync(told, Samples.Now, Ct);

        var listed = Assert.Single(await notices.DeadAsync(10, Ct));
        Assert.Equal((dead.Id, Samples.Now, null, new string('e', 200)), (listed.Id, listed.DeadAt, listed.NextAttemptAt, listed.Error));
        Assert.Equal(
            new LogoutCounts(Untold: 0, Waiting: 1, Delivered: 1, Dead: 1, DeadLately: 1, OldestAt: waiting.CreatedAt),
            await notices.CountAsync(Samples.Now, Ct));
        Assert.Equal(
            new LogoutCounts(Untold: 0, Waiting: 1, Delivered: 0, Dead: 1, DeadLately: 0, OldestAt: waiting.CreatedAt),
            await notices.CountAsync(Samples.Now.AddSeconds(1), Ct));
        Assert.False(await notices.RetryAsync("no such notice\0", Samples.Now, Samples.Audit("logout.retried"), Ct));
        Assert.False(await notices.RetryAsync(told.Id, Samples.Now, Samples.Audit("logout.retried"), Ct));
        Assert.True(await notices.RetryAsync(dead.Id, Samples.Now.AddDays(4), Samples.Audit("logout.retried"), Ct));
        Assert.False(await notices.RetryAsync(dead.Id, Samples.Now.AddDays(4), Samples.Audit("logout.retried"), Ct));
        Assert.Equal([waiting.Id, dead.Id], (await notices.DueAsync("told", Samples.Now.AddDays(4), 10, Ct)).Select(notice => notice.Id));
        Assert.Equal(["logout.retried", "logout.given_up"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_cleanup_leaves_what_waits_and_an_ending_that_nobody_was_told_of(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var notices = storage.Get<ILogoutNotices>();
        await AddClientsAsync(storage);
        var untold = await EndAsync(storage, await SignInAsync(storage));
        var told = (await notices.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        await notices.RecordDeliveredAsync(told, Samples.Now, Ct);
        var waiting = await AddAsync(storage);

        await storage.Get<IExpiredRows>().DeleteAsync(Samples.Now.AddDays(500), Ct);

        Assert.Equal([untold.Id], await notices.UntoldAsync(10, Ct));
        Assert.Equal([waiting], await notices.DueAsync("told", Samples.Now, 10, Ct));
        Assert.Equal(1, await CountAsync<LogoutNotice>(storage));
    }

    private static async Task AddClientsAsync(TestStorage storage)
    {
        foreach (var (id, uri) in new[] { ("told", "https://told.example/out"), ("told-too", "https://too.example/out"), ("silent", null) })
        {
            var client = new Client
            {
                Id = id,
                Type = ClientType.Web,
                Name = id,
                AuthMethod = ClientAuthMethods.None,
                GrantTypes = FrozenSet<string>.Empty,
                BackChannelLogoutUri = uri,
                CreatedAt = Samples.Now,
            };
            await storage.Get<IClientStore>().AddAsync(client, Samples.Audit(), Ct);
        }
    }

    private static async Task OpenGrantsAsync(TestStorage storage, Session session, params string[] clientIds)
    {
        foreach (var clientId in clientIds)
        {
            var grant = Samples.Grant(session, clientId);
            await storage.Get<IGrantStore>().OpenAsync(grant, Samples.Token(grant, TokenKind.Code), Samples.Audit(), Ct);
        }
    }

    private static async Task<Receipt> EndAsync(TestStorage storage, Session session)
    {
        var ending = Samples.Ending(kind: RevocationKind.Session, key: session.Id);
        await storage.Get<IRevocationStore>().EndSessionAsync(
            Samples.Revocation(RevocationKind.Session, session.Id), alsoOffline: false, ending, Ct);
        return ending.Receipt;
    }

    private static async Task<LogoutNotice> AddAsync(TestStorage storage, string clientId = "told")
    {
        var notice = new LogoutNotice
        {
            Id = Handle.NewId(),
            ReceiptId = Handle.NewId(),
            ClientId = clientId,
            Subject = Handle.NewId(),
            SessionId = Handle.NewId(),
            CreatedAt = Samples.Now,
            NextAttemptAt = Samples.Now,
        };
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        db.LogoutNotices.Add(notice);
        await db.SaveChangesAsync(Ct);
        return notice;
    }
}
