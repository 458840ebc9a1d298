using IdentityServer.Protocol;
using IdentityServer.Storage;
using IdentityServer.Storage.Cleanup;
using IdentityServer.Storage.Mail;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Mail;

public sealed class OutboxContract : Contract
{
    private static readonly TimeSpan _lease = TimeSpan.FromMinutes(2);

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_mail_is_due_from_its_instant_on_and_found_as_it_was_stored(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var (mail, later) = (Mail(), Mail() with { NextAttemptAt = Samples.Now.AddMinutes(1), Subject = null });
        await outbox.AddAsync(later, Ct);
        await outbox.AddAsync(mail, Ct);

        Assert.Empty(await outbox.DueAsync(Samples.Now.AddMilliseconds(-1), 10, Ct));
        Assert.Equal([mail], await outbox.DueAsync(Samples.Now, 10, Ct));
        Assert.Equal([mail, later], await outbox.DueAsync(Samples.Now.AddMinutes(1), 10, Ct));
        Assert.Equal([mail], await outbox.DueAsync(Samples.Now.AddMinutes(1), 1, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_mail_that_a_deed_stores_goes_the_same_way(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var mail = Mail() with { Sealed = new('s', 20_000) };
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            db.OutboxMails.Add(mail);
            await db.SaveChangesAsync(Ct);
        }

        Assert.Equal([mail], await storage.Get<IOutbox>().DueAsync(Samples.Now, 10, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_two_nodes_that_take_a_mail_at_once_one_gets_it(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var second = storage.AnotherNode();
        IOutbox[] nodes = [storage.Get<IOutbox>(), second.Get<IOutbox>()];
        for (var round = 0; round < 20; round++)
        {
            var mail = await AddAsync(storage);

            var claims = await AtOnceAsync(8, i => nodes[i % 2].ClaimAsync(mail, Samples.Now + _lease, Ct).AsTask());

            var claimed = Assert.Single(claims, claim => claim is not null)!;
            Assert.Equal(mail with { NextAttemptAt = Samples.Now + _lease, Attempts = 1 }, claimed);
            Assert.Empty(await nodes[0].DueAsync(Samples.Now + _lease - TimeSpan.FromMilliseconds(1), 10, Ct));
            await nodes[0].RecordSentAsync(claimed, Samples.Now, Ct);
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task When_a_node_dies_with_a_mail_another_takes_it_later(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var claimed = await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct);

        var due = Assert.Single(await outbox.DueAsync(Samples.Now + _lease, 10, Ct));
        var again = await outbox.ClaimAsync(due, Samples.Now + _lease + _lease, Ct);

        Assert.Equal(claimed, due);
        Assert.Equal(2, again!.Attempts);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_was_sent_is_erased_and_never_due_again(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var claimed = (await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;

        await outbox.RecordSentAsync(claimed, Samples.Now.AddSeconds(1), Ct);
        await outbox.RecordSentAsync(claimed, Samples.Now.AddSeconds(9), Ct);
        await outbox.RecordFailureAsync(claimed, "too late", Samples.Now, Ct);

        Assert.Equal(
            claimed with { Sealed = null, NextAttemptAt = null, SentAt = Samples.Now.AddSeconds(1) }, await StoredAsync(storage, claimed));
        Assert.Empty(await outbox.DueAsync(Samples.Now.AddDays(9), 10, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_failure_is_tried_again_at_its_time_and_says_why(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var claimed = (await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;

        await outbox.RecordFailureAsync(claimed, new string('e', 1000) + "\0", Samples.Now.AddHours(1), Ct);

        Assert.Empty(await outbox.DueAsync(Samples.Now.AddMinutes(59), 10, Ct));
        var due = Assert.Single(await outbox.DueAsync(Samples.Now.AddHours(1), 10, Ct));
        Assert.Equal(claimed with { NextAttemptAt = Samples.Now.AddHours(1), Error = new('e', 400) }, due);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_node_whose_claim_ran_out_says_nothing_about_the_next_one(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var slow = (await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        var next = (await outbox.ClaimAsync(slow, Samples.Now + _lease + _lease, Ct))!;

        await outbox.RecordFailureAsync(slow, "slow", Samples.Now, Ct);
        Assert.False(await outbox.GiveUpAsync(slow, "slow", keepContent: false, Samples.Now, Samples.Audit(), Ct));

        Assert.Equal(next, await StoredAsync(storage, next));
        Assert.Empty(await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_is_given_up_can_be_tried_once_more_while_its_content_is_there(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var kept = (await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        var erased = (await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;

        Assert.True(await outbox.GiveUpAsync(kept, "no", keepContent: true, Samples.Now, Samples.Audit("mail.given_up"), Ct));
        Assert.True(await outbox.GiveUpAsync(erased, "no", keepContent: false, Samples.Now.AddSeconds(1), Samples.Audit("mail.given_up"), Ct));

        Assert.Empty(await outbox.DueAsync(Samples.Now.AddDays(99), 10, Ct));
        Assert.Equal([erased.Id, kept.Id], (await outbox.DeadAsync(10, Ct)).Select(mail => mail.Id));
        Assert.Null((await StoredAsync(storage, erased)).Sealed);
        Assert.False(await outbox.RetryAsync(erased.Id, Samples.Now, Samples.Audit("mail.retried"), Ct));
        Assert.False(await outbox.RetryAsync("no such mail\0", Samples.Now, Samples.Audit("mail.retried"), Ct));
        Assert.True(await outbox.RetryAsync(kept.Id, Samples.Now.AddDays(4), Samples.Audit("mail.retried"), Ct));
        Assert.False(await outbox.RetryAsync(kept.Id, Samples.Now.AddDays(4), Samples.Audit("mail.retried"), Ct));

        var due = Assert.Single(await outbox.DueAsync(Samples.Now.AddDays(4), 10, Ct));
        Assert.Equal((kept.Id, kept.Sealed, null), (due.Id, due.Sealed, due.DeadAt));
        Assert.Equal(["mail.retried", "mail.given_up", "mail.given_up"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_outbox_is_counted_and_listed_without_what_it_says(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var mails = new List<OutboxMail>();
        for (var i = 0; i < 4; i++)
        {
            mails.Add((await outbox.ClaimAsync(await AddAsync(storage, i), Samples.Now + _lease, Ct))!);
        }

        await outbox.RecordSentAsync(mails[0], Samples.Now, Ct);
        await outbox.RecordSentAsync(mails[1], Samples.Now.AddHours(1), Ct);
        await outbox.GiveUpAsync(mails[2], "no", keepContent: true, Samples.Now, Samples.Audit(), Ct);

        Assert.Equal(new OutboxCounts(Waiting: 1, Sent: 2, Dead: 1), await outbox.CountAsync(Samples.Now, Ct));
        Assert.Equal(new OutboxCounts(Waiting: 1, Sent: 1, Dead: 1), await outbox.CountAsync(Samples.Now.AddMinutes(1), Ct));
        var latest = await outbox.LatestAsync(3, Ct);
        Assert.Equal([mails[3].Id, mails[2].Id, mails[1].Id], latest.Select(mail => mail.Id));
        Assert.All(latest, mail => Assert.Null(mail.Sealed));
        Assert.Null(Assert.Single(await outbox.DeadAsync(10, Ct)).Sealed);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_cleanup_takes_what_was_sent_and_what_was_given_up_and_leaves_what_waits(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var outbox = storage.Get<IOutbox>();
        var waiting = await AddAsync(storage);
        var sent = (await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        await outbox.RecordSentAsync(sent, Samples.Now, Ct);
        var dead = (await outbox.ClaimAsync(await AddAsync(storage), Samples.Now + _lease, Ct))!;
        await outbox.GiveUpAsync(dead, "no", keepContent: true, Samples.Now, Samples.Audit(), Ct);

        await CleanUpAsync(days: 9);
        Assert.Equal(3, await CountAsync<OutboxMail>(storage));
        await CleanUpAsync(days: 10);
        Assert.Empty(await outbox.DeadAsync(10, Ct));
        Assert.Equal(2, await CountAsync<OutboxMail>(storage));
        await CleanUpAsync(days: 400);
        Assert.Equal(waiting.Id, Assert.Single(await outbox.LatestAsync(10, Ct)).Id);

        async Task CleanUpAsync(int days) => await storage.Get<IExpiredRows>().DeleteAsync(Samples.Now.AddDays(days), Ct);
    }

    private static async Task<OutboxMail> AddAsync(TestStorage storage, int millisecond = 0)
    {
        var mail = Mail() with { CreatedAt = Samples.Now.AddMilliseconds(millisecond) };
        await storage.Get<IOutbox>().AddAsync(mail, Ct);
        return mail;
    }

    private static async Task<OutboxMail> StoredAsync(TestStorage storage, OutboxMail mail)
    {
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        return await db.OutboxMails.AsNoTracking().SingleAsync(row => row.Id == mail.Id, Ct);
    }

    private static OutboxMail Mail() => new()
    {
        Id = Handle.NewId(),
        Subject = Handle.NewId(),
        Kind = "password_reset",
        Sealed = "sealed, 盒子",
        CreatedAt = Samples.Now,
        NextAttemptAt = Samples.Now,
    };
}
