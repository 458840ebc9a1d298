using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Accounts;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Users;
using IdentityServer.StorageTests.Factors;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Revocations;

public sealed class RevocationStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_ended_token_is_remembered_announced_and_audited_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var revocations = storage.Get<IRevocationStore>();
        var jwt = Samples.Revocation(RevocationKind.Token, Handle.NewId());

        Assert.True(await revocations.EndTokenAsync(jwt, null, Samples.Ending("ended"), Ct));
        Assert.False(await revocations.EndTokenAsync(jwt, null, Samples.Ending("again"), Ct));

        Assert.Equal([jwt], await storage.RevocationsAsync(Samples.Now, Ct));
        Assert.Equal([jwt], await AnnouncedAsync(storage));
        Assert.Equal(["ended"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_reference_token_is_marked_ended(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var token = Samples.Token(null, TokenKind.Reference, "service");
        await storage.Get<IGrantStore>().AddTokenAsync(token, Samples.Audit(), Ct);

        Assert.True(await storage.Get<IRevocationStore>().EndTokenAsync(
            Samples.Revocation(RevocationKind.Token, Handle.NewId()), token.Hash, Samples.Ending(), Ct));

        Assert.Equal(Samples.Now, (await storage.Get<IGrantStore>().FindTokenAsync(token.Kind, token.Hash, Ct))!.EndedAt);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_ended_grant_takes_its_tokens_along(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var revocations = storage.Get<IRevocationStore>();
        var grants = storage.Get<IGrantStore>();
        var token = await RefreshTokenAsync(storage);
        var reference = Samples.Token(token.Grant, TokenKind.Reference);
        await grants.AddTokenAsync(reference, Samples.Audit(), Ct);
        var revocation = Samples.Revocation(RevocationKind.Grant, token.Grant!.Id);

        Assert.True(await revocations.EndGrantAsync(revocation, Samples.Ending("ended"), Ct));
        Assert.False(await revocations.EndGrantAsync(revocation, Samples.Ending("again"), Ct));
        Assert.False(await revocations.EndGrantAsync(
            Samples.Revocation(RevocationKind.Grant, "unknown"), Samples.Ending("again"), Ct));

        Assert.Equal(Samples.Now, (await grants.FindAsync(token.Grant.Id, Ct))!.EndedAt);
        foreach (var record in new[] { token, reference })
        {
            Assert.Equal(Samples.Now, (await grants.FindTokenAsync(record.Kind, record.Hash, Ct))!.Grant!.EndedAt);
        }

        Assert.False(await grants.SpendAsync(token, [], null, Samples.Now, Samples.Audit("spent"), Ct));
        Assert.False(await grants.AddTokenAsync(Samples.Token(token.Grant, TokenKind.Reference), Samples.Audit("added"), Ct));
        Assert.Equal([revocation], await AnnouncedAsync(storage));
        Assert.Empty((await AuditTypesAsync(storage)).Intersect(["again", "spent", "added"]));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_ended_session_ends_its_grants_but_not_offline_ones(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var revocations = storage.Get<IRevocationStore>();
        var grants = storage.Get<IGrantStore>();
        var session = await SignInAsync(storage);
        var bound = await RefreshTokenAsync(storage, Samples.Grant(session));
        var offline = await RefreshTokenAsync(storage, Samples.Grant(session, offline: true));
        var foreign = await RefreshTokenAsync(storage);
        var revocation = Samples.Revocation(RevocationKind.Session, session.Id);

        Assert.NotEmpty(await revocations.EndSessionAsync(revocation, alsoOffline: false, Samples.Ending(), Ct));
        Assert.Empty(await revocations.EndSessionAsync(revocation, alsoOffline: false, Samples.Ending(), Ct));

        Assert.NotNull((await grants.FindAsync(bound.Grant!.Id, Ct))!.EndedAt);
        Assert.False(await grants.SpendAsync(bound, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.Null((await grants.FindAsync(offline.Grant!.Id, Ct))!.EndedAt);
        Assert.True(await grants.SpendAsync(offline, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.True(await grants.SpendAsync(foreign, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.Equal([revocation], await AnnouncedAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Ending_a_session_with_its_offline_grants_works_also_after_it_ended(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var revocations = storage.Get<IRevocationStore>();
        var grants = storage.Get<IGrantStore>();
        var session = await SignInAsync(storage);
        var offline = await RefreshTokenAsync(storage, Samples.Grant(session, offline: true));
        var revocation = Samples.Revocation(RevocationKind.Session, session.Id);
        await revocations.EndSessionAsync(revocation, alsoOffline: false, Samples.Ending(), Ct);

        Assert.NotEmpty(await revocations.EndSessionAsync(revocation, alsoOffline: true, Samples.Ending(), Ct));
        Assert.Empty(await revocations.EndSessionAsync(revocation, alsoOffline: true, Samples.Ending(), Ct));

        Assert.NotNull((await grants.FindTokenAsync(TokenKind.Refresh, offline.Hash, Ct))!.Grant!.EndedAt);
        Assert.False(await grants.SpendAsync(offline, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.Equivalent(
            new[] { revocation, Samples.Revocation(RevocationKind.Grant, offline.Grant!.Id) },
            await storage.RevocationsAsync(Samples.Now, Ct),
            strict: true);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Ending_a_person_ends_all_they_had_but_the_session_that_goes_on(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sessions = storage.Get<ISessionStore>();
        var here = Samples.Session();
        var elsewhere = Samples.Session(here.Subject);
        var stranger = Samples.Session();
        foreach (var session in new[] { here, elsewhere, stranger })
        {
            await sessions.OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        }

        var kept = await RefreshTokenAsync(storage, Samples.Grant(here));
        var offline = await RefreshTokenAsync(storage, Samples.Grant(elsewhere, offline: true));
        var others = await RefreshTokenAsync(storage, Samples.Grant(stranger));

        var ended = await storage.Get<IRevocationStore>().EndPersonAsync(
            Samples.Revocation(RevocationKind.Subject, here.Subject), here.Id, change: null, Samples.Ending("person"), Ct);

        Assert.Equal((RevocationKind.Subject, here.Subject, here.Id), (ended!.Kind, ended.Key, ended.ExceptSessionId));
        Assert.Equal([ended], await storage.RevocationsAsync(Samples.Now, Ct));
        Assert.Equal([ended], await AnnouncedAsync(storage));
        Assert.Null((await sessions.FindAsync(here.Id, Ct))!.EndedAt);
        Assert.NotNull((await sessions.FindAsync(elsewhere.Id, Ct))!.EndedAt);
        Assert.Null((await sessions.FindAsync(stranger.Id, Ct))!.EndedAt);
        var grants = storage.Get<IGrantStore>();
        Assert.NotNull((await grants.FindTokenAsync(TokenKind.Refresh, offline.Hash, Ct))!.Grant!.EndedAt);
        Assert.Null((await grants.FindTokenAsync(TokenKind.Refresh, kept.Hash, Ct))!.Grant!.EndedAt);
        Assert.Null((await grants.FindTokenAsync(TokenKind.Refresh, others.Hash, Ct))!.Grant!.EndedAt);
        Assert.True(await grants.SpendAsync(kept, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.False(await grants.SpendAsync(offline, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.Single(await AuditTypesAsync(storage), type => type == "person");
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_cutoff_ends_what_was_opened_before_it_whatever_the_clocks_say(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sessions = storage.Get<ISessionStore>();
        var grants = storage.Get<IGrantStore>();
        foreach (var kind in new[] { RevocationKind.Subject, RevocationKind.Client, RevocationKind.Everything })
        {
            var subject = Handle.NewId();
            var clientId = "client:" + Handle.NewId();

            // The clock of the node it was opened on is ahead of the clock of the node that ends it.
            var before = await OpenAsync(Samples.Now.AddHours(1), subject, clientId);
            var stranger = await OpenAsync(Samples.Now, Handle.NewId(), "other");
            var key = kind switch
            {
                RevocationKind.Subject => subject,
                RevocationKind.Client => clientId,
                _ => Revocation.Everyone,
            };

            var store = storage.Get<IRevocationStore>();
            var cutoff = kind switch
            {
                RevocationKind.Subject => await store.EndPersonAsync(Samples.Revocation(kind, key), null, null, Samples.Ending(), Ct),
                RevocationKind.Client => await store.EndClientAsync(Samples.Revocation(kind, key), null, Samples.Ending(), Ct),
                _ => await store.EndEverythingAsync(Samples.Revocation(kind, key), Samples.Ending(), Ct),
            };
            Assert.NotNull(cutoff);

            // And here behind.
            var after = await OpenAsync(Samples.Now.AddHours(-1), subject, clientId);
            await AssertAsync(before, isAlive: false, sessionIsAlive: kind == RevocationKind.Client);
            await AssertAsync(after, isAlive: true, sessionIsAlive: true);
            await AssertAsync(stranger, isAlive: kind != RevocationKind.Everything, sessionIsAlive: kind != RevocationKind.Everything);
            Assert.Equal(cutoff, (await AnnouncedAsync(storage))[^1]);
            Assert.Contains(cutoff, await storage.RevocationsAsync(Samples.Now, Ct));
        }

        async Task<(Session Session, TokenRecord Refresh, string Handle)> OpenAsync(DateTimeOffset now, string subject, string clientId)
        {
            var session = Samples.Session(subject) with { CreatedAt = now, AuthenticatedAt = now, LastSeenAt = now };
            var handle = Handle.Create().Hash;
            await sessions.OpenAsync(session, handle, Samples.Audit(), Ct);
            var refresh = await RefreshTokenAsync(storage, Samples.Grant(session, clientId, offline: true) with { GrantedAt = now });
            return (session, refresh, handle);
        }

        async Task AssertAsync((Session Session, TokenRecord Refresh, string Handle) opened, bool isAlive, bool sessionIsAlive)
        {
            var (session, refresh, handle) = opened;
            Assert.Equal(sessionIsAlive, (await sessions.FindAsync(session.Id, Ct))!.EndedAt is null);
            Assert.Equal(sessionIsAlive, (await sessions.FindByHandleAsync(handle, Ct))!.EndedAt is null);
            Assert.Equal(
                sessionIsAlive, await sessions.RenewAsync(session with { Acr = "again" }, handle, Samples.Audit(), Ct));
            Assert.Equal(
                sessionIsAlive ? 1 : 0, (await storage.Get<IAccounts>().ListSessionsAsync(session.Subject, Ct)).Count(each => each.Id == session.Id));
            Assert.Equal(isAlive, (await grants.FindAsync(refresh.Grant!.Id, Ct))!.EndedAt is null);
            Assert.Equal(isAlive, (await grants.FindTokenAsync(refresh.Kind, refresh.Hash, Ct))!.Grant!.EndedAt is null);
            Assert.Equal(isAlive, await grants.AddTokenAsync(Samples.Token(refresh.Grant, TokenKind.Reference), Samples.Audit(), Ct));
            Assert.Equal(isAlive, await grants.SpendAsync(refresh, [], null, Samples.Now, Samples.Audit(), Ct));
            var next = Samples.Grant(session);
            Assert.Equal(sessionIsAlive, await grants.OpenAsync(next, Samples.Token(next, TokenKind.Code), Samples.Audit(), Ct));
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_session_that_had_ended_does_not_go_on(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var subject = Handle.NewId();
        var session = Samples.Session(subject);
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        var refresh = await RefreshTokenAsync(storage, Samples.Grant(session));
        var revocations = storage.Get<IRevocationStore>();
        var person = Samples.Revocation(RevocationKind.Subject, subject);

        await revocations.EndPersonAsync(person, null, null, Samples.Ending(), Ct);
        var second = await revocations.EndPersonAsync(person, session.Id, null, Samples.Ending(), Ct);

        Assert.Null(second!.ExceptSessionId);
        Assert.NotNull((await storage.Get<ISessionStore>().FindAsync(session.Id, Ct))!.EndedAt);
        Assert.False(await storage.Get<IGrantStore>().SpendAsync(refresh, [], null, Samples.Now, Samples.Audit(), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Cutoffs_at_once_have_a_number_each(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        string[] people = [Handle.NewId(), Handle.NewId()];

        var cutoffs = await AtOnceAsync(16, i => (i % 2 == 0 ? storage : other).Get<IRevocationStore>().EndPersonAsync(
            Samples.Revocation(RevocationKind.Subject, people[i / 8]), null, null, Samples.Ending(), Ct).AsTask());

        Assert.Equal(Enumerable.Range(1, 16).Select(number => (long)number), cutoffs.Select(cutoff => cutoff!.Epoch).Order());
        Assert.Equal(
            people.Select(person => cutoffs.Where(cutoff => cutoff!.Key == person).Max(cutoff => cutoff!.Epoch)).Order(),
            (await storage.RevocationsAsync(Samples.Now, Ct)).Select(cutoff => cutoff.Epoch).Order());
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_receipt_says_what_died_and_who_knows(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var subject = Handle.NewId();
        for (var i = 0; i < 3; i++)
        {
            var session = Samples.Session(subject);
            await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
            await RefreshTokenAsync(storage, Samples.Grant(session));
            await RefreshTokenAsync(storage, Samples.Grant(session, "spa", offline: true));
            if (i == 1)
            {
                var codeAlone = Samples.Grant(session, "spa");
                await storage.Get<IGrantStore>().OpenAsync(codeAlone, Samples.Token(codeAlone, TokenKind.Code), Samples.Audit(), Ct);
            }

            if (i == 0)
            {
                await storage.Get<IRevocationStore>().EndSessionAsync(
                    Samples.Revocation(RevocationKind.Session, session.Id) with { At = Samples.Now.AddMinutes(-1) }, false, Samples.Ending(), Ct);
            }
        }

        var ending = Samples.Ending("person", RevocationKind.Subject, subject);
        await storage.Get<IRevocationStore>().EndPersonAsync(Samples.Revocation(RevocationKind.Subject, subject), null, null, ending, Ct);
        var late = Samples.Session(subject);
        await storage.Get<ISessionStore>().OpenAsync(late, Handle.Create().Hash, Samples.Audit(), Ct);
        await RefreshTokenAsync(storage, Samples.Grant(late));
        var receipts = storage.Get<IReceiptStore>();
        var receipt = (await receipts.FindAsync(ending.Receipt.Id, Ct))!;
        await storage.Get<INodes>().SayAsync("slow", new(receipt.Sequence - 2, [receipt.Sequence + 1]), Samples.Now, Samples.Now, Ct);
        await storage.Get<INodes>().SayAsync("quick", new(0, [receipt.Sequence + 1, receipt.Sequence]), Samples.Now, Samples.Now, Ct);
        await storage.Get<INodes>().SayAsync("gone", new(0, []), Samples.Now, Samples.Now.AddMinutes(-1), Ct);

        Assert.Equal(new Died(2, 6, 5), await receipts.CountAsync(receipt, Ct));
        Assert.Equal(
            [("quick", true), ("slow", false)],
            (await receipts.ListNodesAsync(receipt, Samples.Now, Ct)).Select(node => (node.Id, node.IsConfirmed)));
        Assert.Equal(receipt, (await receipts.ListAsync(null, 10, Ct)).Single(each => each.Id == receipt.Id));
        Assert.Null(await receipts.FindAsync("unknown", Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_new_password_by_a_link_comes_with_the_ending_or_not_at_all(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var subject = await FactorContract.AddPersonAsync(storage);
        var link = new MailLink
        {
            Hash = Handle.Create().Hash,
            Kind = "password_reset",
            Subject = subject,
            CreatedAt = Samples.Now,
            ExpiresAt = Samples.Now.AddMinutes(15),
        };
        await storage.Get<IDeeds>().RunAsync(
            async (db, ct) =>
            {
                db.MailLinks.Add(link);
                return await db.SaveChangesAsync(ct);
            },
            Ct);
        await storage.Get<IDevices>().SeenAsync(FactorContract.Device(subject) with { RememberedUntil = Samples.Now.AddDays(1) }, Ct);
        var session = Samples.Session(subject);
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        var change = new NewPassword { PasswordHash = "new", LinkHash = link.Hash, Audit = Samples.Audit("password") };

        Assert.Null(await EndAsync(storage, change with { LinkHash = Handle.Create().Hash }));
        Assert.Null((await storage.Get<ISessionStore>().FindAsync(session.Id, Ct))!.EndedAt);
        var ended = await AtOnceAsync(8, i => EndAsync(i % 2 == 0 ? storage : other, change));

        Assert.Single(ended, each => each is not null);
        Assert.NotNull((await storage.Get<ISessionStore>().FindAsync(session.Id, Ct))!.EndedAt);
        var user = (await storage.Get<ICredentials>().FindBySubjectAsync(subject, Ct))!.User;
        Assert.Equal(("new", Samples.Now), (user.PasswordHash, user.PasswordChangedAt));
        Assert.Null(Assert.Single(await storage.Get<IDevices>().ListAsync(subject, Samples.Now, Ct)).RememberedUntil);
        Assert.Single(await AuditTypesAsync(storage), type => type == "password");

        Task<Revocation?> EndAsync(TestStorage node, NewPassword change) => node.Get<IRevocationStore>()
            .EndPersonAsync(Samples.Revocation(RevocationKind.Subject, subject), null, change, Samples.Ending("person"), Ct).AsTask();
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_expired_is_no_longer_listed(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var revocations = storage.Get<IRevocationStore>();
        var short_ = Samples.Revocation(RevocationKind.Token, "short") with { ExpiresAt = Samples.Now.AddMinutes(1) };
        var long_ = Samples.Revocation(RevocationKind.Token, "long") with { ExpiresAt = Samples.Now.AddMinutes(2) };
        await revocations.EndTokenAsync(short_, null, Samples.Ending(), Ct);
        await revocations.EndTokenAsync(long_, null, Samples.Ending(), Ct);

        Assert.Equal([long_], await storage.RevocationsAsync(Samples.Now.AddMinutes(1), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Each_kind_is_read_page_by_page(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var revocations = storage.Get<IRevocationStore>();
        var tokens = Enumerable.Range(0, 1_001).Select(i => Samples.Revocation(RevocationKind.Token, $"t{i:0000}")).ToArray();
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            db.Revocations.AddRange(tokens);
            db.Revocations.Add(Samples.Revocation(RevocationKind.Token, "over") with { ExpiresAt = Samples.Now });
            db.Revocations.Add(Samples.Revocation(RevocationKind.Grant, "t0000"));
            await db.SaveChangesAsync(Ct);
        }

        Assert.Equal(tokens[..1000], await storage.Get<IRevocations>().PageAsync(RevocationKind.Token, "", Samples.Now, Ct));
        Assert.Equal(tokens[1000..], await storage.Get<IRevocations>().PageAsync(RevocationKind.Token, tokens[999].Key, Samples.Now, Ct));
        Assert.Empty(await storage.Get<IRevocations>().PageAsync(RevocationKind.Token, tokens[1000].Key, Samples.Now, Ct));
        Assert.Equal(["t0000"], (await storage.Get<IRevocations>().PageAsync(RevocationKind.Grant, "", Samples.Now, Ct)).Select(revocation => revocation.Key));

        var list = new RevocationList(storage.Get<IRevocations>(), new MutableClock(Samples.Now));
        await list.LoadAsync(Ct);
        Assert.Equal(1_002, list.Count);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_many_endings_at_once_one_is_told(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var token = await RefreshTokenAsync(storage);
        var grant = Samples.Revocation(RevocationKind.Grant, token.Grant!.Id);
        var session = Samples.Revocation(RevocationKind.Session, token.Grant.SessionId);
        var jwt = Samples.Revocation(RevocationKind.Token, Handle.NewId());

        IRevocationStore Node(int i) => (i % 2 == 0 ? storage : other).Get<IRevocationStore>();
        Assert.Single(
            await AtOnceAsync(16, i => Node(i).EndGrantAsync(grant, Samples.Ending("grant"), Ct).AsTask()), done => done);
        Assert.Single(
            await AtOnceAsync(16, i => Node(i).EndSessionAsync(session, true, Samples.Ending("session"), Ct).AsTask()),
            done => done.Count > 0);
        Assert.Single(
            await AtOnceAsync(16, i => Node(i).EndTokenAsync(jwt, null, Samples.Ending("token"), Ct).AsTask()), done => done);

        Assert.Equal(3, (await AnnouncedAsync(storage)).Count);
        Assert.Equal(["token", "session", "grant"], (await AuditTypesAsync(storage)).Where(type => type != "test.done"));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Ending_grants_and_their_session_at_once_leaves_nothing_alive(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var session = await SignInAsync(storage);
        var tokens = new List<TokenRecord>();
        for (var i = 0; i < 8; i++)
        {
            tokens.Add(await RefreshTokenAsync(storage, Samples.Grant(session, offline: i % 2 == 0)));
        }

        await AtOnceAsync(9, async i => i < 8
            ? await storage.Get<IRevocationStore>().EndGrantAsync(
                Samples.Revocation(RevocationKind.Grant, tokens[i].Grant!.Id), Samples.Ending(), Ct)
            : (await other.Get<IRevocationStore>().EndSessionAsync(
                Samples.Revocation(RevocationKind.Session, session.Id), true, Samples.Ending(), Ct)).Count > 0);

        foreach (var token in tokens)
        {
            Assert.NotNull((await storage.Get<IGrantStore>().FindAsync(token.Grant!.Id, Ct))!.EndedAt);
        }

        Assert.Contains(
            (await storage.RevocationsAsync(Samples.Now, Ct)),
            revocation => revocation.Kind == RevocationKind.Session);
    }

    private static async Task<IReadOnlyList<Revocation>> AnnouncedAsync(TestStorage storage) =>
    [
        .. (await storage.Get<IChangeLog>().ReadAsync(0, Ct))
            .Where(change => change.Kind == ChangeKind.Revocation)
            .Select(change => RevocationList.Parse(change.Key)),
    ];
}
