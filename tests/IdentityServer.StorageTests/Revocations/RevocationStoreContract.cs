using IdentityServer.Protocol;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Users;
using IdentityServer.StorageTests.Factors;
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

        Assert.True(await revocations.EndTokenAsync(jwt, null, Samples.Audit("ended"), Ct));
        Assert.False(await revocations.EndTokenAsync(jwt, null, Samples.Audit("again"), Ct));

        Assert.Equal([jwt], await revocations.ListAsync(Samples.Now, Ct));
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
            Samples.Revocation(RevocationKind.Token, Handle.NewId()), token.Hash, Samples.Audit(), Ct));

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

        Assert.True(await revocations.EndGrantAsync(revocation, Samples.Audit("ended"), Ct));
        Assert.False(await revocations.EndGrantAsync(revocation, Samples.Audit("again"), Ct));
        Assert.False(await revocations.EndGrantAsync(
            Samples.Revocation(RevocationKind.Grant, "unknown"), Samples.Audit("again"), Ct));

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

        Assert.NotEmpty(await revocations.EndSessionAsync(revocation, alsoOffline: false, Samples.Audit(), Ct));
        Assert.Empty(await revocations.EndSessionAsync(revocation, alsoOffline: false, Samples.Audit(), Ct));

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
        await revocations.EndSessionAsync(revocation, alsoOffline: false, Samples.Audit(), Ct);

        Assert.NotEmpty(await revocations.EndSessionAsync(revocation, alsoOffline: true, Samples.Audit(), Ct));
        Assert.Empty(await revocations.EndSessionAsync(revocation, alsoOffline: true, Samples.Audit(), Ct));

        Assert.NotNull((await grants.FindTokenAsync(TokenKind.Refresh, offline.Hash, Ct))!.Grant!.EndedAt);
        Assert.False(await grants.SpendAsync(offline, [], null, Samples.Now, Samples.Audit(), Ct));
        Assert.Equivalent(
            new[] { revocation, Samples.Revocation(RevocationKind.Grant, offline.Grant!.Id) },
            await revocations.ListAsync(Samples.Now, Ct),
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
            Samples.Revocation(RevocationKind.Session, here.Subject), here.Id, change: null, Samples.Audit("person"), Ct);

        Assert.Equal(
            new[] { (RevocationKind.Session, elsewhere.Id), (RevocationKind.Grant, offline.Grant!.Id) }.Order(),
            ended!.Select(each => (each.Kind, each.Key)).Order());
        Assert.Null((await sessions.FindAsync(here.Id, Ct))!.EndedAt);
        Assert.NotNull((await sessions.FindAsync(elsewhere.Id, Ct))!.EndedAt);
        Assert.Null((await sessions.FindAsync(stranger.Id, Ct))!.EndedAt);
        var grants = storage.Get<IGrantStore>();
        Assert.NotNull((await grants.FindTokenAsync(TokenKind.Refresh, offline.Hash, Ct))!.Grant!.EndedAt);
        Assert.Null((await grants.FindTokenAsync(TokenKind.Refresh, kept.Hash, Ct))!.Grant!.EndedAt);
        Assert.Null((await grants.FindTokenAsync(TokenKind.Refresh, others.Hash, Ct))!.Grant!.EndedAt);
        Assert.Empty((await storage.Get<IRevocationStore>().EndPersonAsync(
            Samples.Revocation(RevocationKind.Session, here.Subject), here.Id, change: null, Samples.Audit("person"), Ct))!);
        Assert.Single(await AuditTypesAsync(storage), type => type == "person");
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

        Task<IReadOnlyList<Revocation>?> EndAsync(TestStorage node, NewPassword change) => node.Get<IRevocationStore>()
            .EndPersonAsync(Samples.Revocation(RevocationKind.Session, subject), null, change, Samples.Audit("person"), Ct).AsTask();
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_expired_is_no_longer_listed(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var revocations = storage.Get<IRevocationStore>();
        var short_ = Samples.Revocation(RevocationKind.Token, "short") with { ExpiresAt = Samples.Now.AddMinutes(1) };
        var long_ = Samples.Revocation(RevocationKind.Token, "long") with { ExpiresAt = Samples.Now.AddMinutes(2) };
        await revocations.EndTokenAsync(short_, null, Samples.Audit(), Ct);
        await revocations.EndTokenAsync(long_, null, Samples.Audit(), Ct);

        Assert.Equal([long_], await revocations.ListAsync(Samples.Now.AddMinutes(1), Ct));
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

        Assert.Equal(tokens[..1000], await revocations.PageAsync(RevocationKind.Token, "", Samples.Now, Ct));
        Assert.Equal(tokens[1000..], await revocations.PageAsync(RevocationKind.Token, tokens[999].Key, Samples.Now, Ct));
        Assert.Empty(await revocations.PageAsync(RevocationKind.Token, tokens[1000].Key, Samples.Now, Ct));
        Assert.Equal(["t0000"], (await revocations.PageAsync(RevocationKind.Grant, "", Samples.Now, Ct)).Select(revocation => revocation.Key));
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
            await AtOnceAsync(16, i => Node(i).EndGrantAsync(grant, Samples.Audit("grant"), Ct).AsTask()), done => done);
        Assert.Single(
            await AtOnceAsync(16, i => Node(i).EndSessionAsync(session, true, Samples.Audit("session"), Ct).AsTask()),
            done => done.Count > 0);
        Assert.Single(
            await AtOnceAsync(16, i => Node(i).EndTokenAsync(jwt, null, Samples.Audit("token"), Ct).AsTask()), done => done);

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
                Samples.Revocation(RevocationKind.Grant, tokens[i].Grant!.Id), Samples.Audit(), Ct)
            : (await other.Get<IRevocationStore>().EndSessionAsync(
                Samples.Revocation(RevocationKind.Session, session.Id), true, Samples.Audit(), Ct)).Count > 0);

        foreach (var token in tokens)
        {
            Assert.NotNull((await storage.Get<IGrantStore>().FindAsync(token.Grant!.Id, Ct))!.EndedAt);
        }

        Assert.Contains(
            (await storage.Get<IRevocationStore>().ListAsync(Samples.Now, Ct)),
            revocation => revocation.Kind == RevocationKind.Session);
    }

    private static async Task<IReadOnlyList<Revocation>> AnnouncedAsync(TestStorage storage) =>
    [
        .. (await storage.Get<IChangeLog>().ReadAsync(0, Ct))
            .Where(change => change.Kind == ChangeKind.Revocation)
            .Select(change => RevocationList.Parse(change.Key)),
    ];
}
