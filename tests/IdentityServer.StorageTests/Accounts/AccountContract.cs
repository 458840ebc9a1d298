using IdentityServer.Protocol;
using IdentityServer.Protocol.Consents;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Accounts;
using IdentityServer.Storage.Deeds;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Risk;
using IdentityServer.Storage.Throttling;
using IdentityServer.Storage.Users;
using IdentityServer.StorageTests.Factors;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Accounts;

/// <summary>What <see cref="IAccounts"/> promises, and the deeds that end an app's access or a whole account.</summary>
public sealed class AccountContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_person_reads_and_changes_their_own(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var accounts = storage.Get<IAccounts>();
        var subject = await FactorContract.AddPersonAsync(storage);
        var alive = await SignInAsync(storage, Samples.Session(subject) with { LastSeenAt = Samples.Now.AddMinutes(1) });
        var older = await SignInAsync(storage, Samples.Session(subject));
        var ended = await SignInAsync(storage, Samples.Session(subject));
        var stranger = await SignInAsync(storage, Samples.Session());
        var kept = await OpenAsync(storage, Samples.Grant(older, offline: true));
        await OpenAsync(storage, Samples.Grant(alive));
        await OpenAsync(storage, Samples.Grant(ended, offline: true));
        await OpenAsync(storage, Samples.Grant(stranger, offline: true));
        await storage.Get<IRevocationStore>().EndSessionAsync(
            Samples.Revocation(RevocationKind.Session, ended.Id), alsoOffline: true, Samples.Ending(), Ct);
        var consent = new Consent(subject, "web", ["openid"], Samples.Now);
        await storage.Get<IConsentStore>().SaveAsync(consent, Samples.Audit("given") with { Subject = subject }, Ct);

        Assert.Equal([alive.Id, older.Id], (await accounts.ListSessionsAsync(subject, Ct)).Select(session => session.Id));
        Assert.Equal([kept.Id], (await accounts.ListOfflineGrantsAsync(subject, Samples.Now, Ct)).Select(grant => grant.Id));
        Assert.Empty(await accounts.ListOfflineGrantsAsync(subject, kept.ExpiresAt, Ct));
        var known = Assert.Single(await accounts.ListConsentsAsync(subject, Ct));
        Assert.Equal(("web", "openid"), (known.ClientId, Assert.Single(known.Scopes)));
        var records = await accounts.ReadAsync(subject, Ct);
        Assert.Equal((3, 3, 1), (records.Sessions.Count, records.Grants.Count, records.Consents.Count));
        Assert.Equal(["given"], records.Events.Select(audit => audit.Type).Where(type => type == "given"));

        var audit = Samples.Audit("changed") with { At = Samples.Now.AddDays(1) };
        Assert.True(await accounts.ChangeProfileAsync(subject, new Profile("爱丽丝", null, "Example", "zh-Hans"), audit, Ct));
        Assert.False(await accounts.ChangeProfileAsync(Handle.NewId(), new Profile(null, null, null, null), Samples.Audit("changed"), Ct));
        var user = (await storage.Get<ICredentials>().FindBySubjectAsync(subject, Ct))!.User;
        Assert.Equal(("爱丽丝", null, "Example", "zh-Hans", audit.At), (user.Name, user.GivenName, user.FamilyName, user.Locale, user.UpdatedAt));
        Assert.Single(await AuditTypesAsync(storage), type => type == "changed");
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_app_is_removed_once_with_all_it_was_given(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var session = await SignInAsync(storage, Samples.Session());
        var stranger = await SignInAsync(storage, Samples.Session());
        var bound = await OpenAsync(storage, Samples.Grant(session));
        var offline = await OpenAsync(storage, Samples.Grant(session, offline: true));
        var old = await OpenAsync(storage, Samples.Grant(session) with { ExpiresAt = Samples.Now.AddDays(-2) });
        var elsewhere = await OpenAsync(storage, Samples.Grant(session, clientId: "elsewhere", offline: true));
        var theirs = await OpenAsync(storage, Samples.Grant(stranger, offline: true));
        foreach (var (subject, clientId) in new[] { (session.Subject, "web"), (session.Subject, "elsewhere"), (stranger.Subject, "web") })
        {
            await storage.Get<IConsentStore>().SaveAsync(new Consent(subject, clientId, ["openid"], Samples.Now), Samples.Audit(), Ct);
        }

        var ended = await AtOnceAsync(8, i => (i % 2 == 0 ? storage : other).Get<IRevocationStore>().EndAppAsync(
            Samples.Revocation(RevocationKind.Grant, session.Subject), "web", Samples.Ending("removed"), Ct).AsTask());

        var told = Assert.Single(ended, each => each is not null)!;
        Assert.Equal(
            new[] { bound.Id, offline.Id }.Order(StringComparer.Ordinal), told.Select(each => each.Key).Order(StringComparer.Ordinal));
        Assert.All(told, each => Assert.Equal(RevocationKind.Grant, each.Kind));
        var grants = storage.Get<IGrantStore>();
        Assert.NotNull((await grants.FindAsync(bound.Id, Ct))!.EndedAt);
        Assert.NotNull((await grants.FindAsync(offline.Id, Ct))!.EndedAt);
        Assert.NotNull((await grants.FindAsync(old.Id, Ct))!.EndedAt);
        Assert.Null((await grants.FindAsync(elsewhere.Id, Ct))!.EndedAt);
        Assert.Null((await grants.FindAsync(theirs.Id, Ct))!.EndedAt);
        var consents = storage.Get<IConsentStore>();
        Assert.Null(await consents.FindAsync(session.Subject, "web", Ct));
        Assert.NotNull(await consents.FindAsync(session.Subject, "elsewhere", Ct));
        Assert.NotNull(await consents.FindAsync(stranger.Subject, "web", Ct));
        Assert.Single(await AuditTypesAsync(storage), type => type == "removed");
        Assert.Equal(2, (await storage.RevocationsAsync(Samples.Now, Ct)).Count);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_app_leaves_a_session_alone(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var session = await SignInAsync(storage, Samples.Session());
        var elsewhere = await SignInAsync(storage, Samples.Session(session.Subject));
        var bound = await OpenAsync(storage, Samples.Grant(session));
        var offline = await OpenAsync(storage, Samples.Grant(session, offline: true));
        var otherApp = await OpenAsync(storage, Samples.Grant(session, clientId: "elsewhere"));
        var otherDevice = await OpenAsync(storage, Samples.Grant(elsewhere));

        var ended = await AtOnceAsync(8, i => (i % 2 == 0 ? storage : other).Get<IRevocationStore>().EndAppInSessionAsync(
            Samples.Revocation(RevocationKind.Grant, session.Id), "web", Samples.Ending("left"), Ct).AsTask());

        Assert.All(ended, each => Assert.Equal(bound.Id, Assert.Single(each!).Key));
        Assert.Equal(bound.Id, Assert.Single(await storage.RevocationsAsync(Samples.Now, Ct)).Key);
        var grants = storage.Get<IGrantStore>();
        Assert.NotNull((await grants.FindAsync(bound.Id, Ct))!.EndedAt);
        Assert.Null((await grants.FindAsync(offline.Id, Ct))!.EndedAt);
        Assert.Null((await grants.FindAsync(otherApp.Id, Ct))!.EndedAt);
        Assert.Null((await grants.FindAsync(otherDevice.Id, Ct))!.EndedAt);
        Assert.Null((await storage.Get<ISessionStore>().FindAsync(session.Id, Ct))!.EndedAt);

        // Nothing was given to this one.
        Assert.Null(await storage.Get<IRevocationStore>().EndAppInSessionAsync(
            Samples.Revocation(RevocationKind.Grant, elsewhere.Id), "elsewhere", Samples.Ending("never"), Ct));
        Assert.DoesNotContain("never", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_deleted_person_is_gone_with_everything_of_theirs_and_nothing_of_others(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var subject = await FactorContract.AddPersonAsync(storage);
        var stranger = await FactorContract.AddPersonAsync(storage);
        await FillAsync(storage, subject);
        await FillAsync(storage, stranger);
        var before = await CountsAsync(storage, subject);
        Assert.DoesNotContain(0, before);

        var ended = await AtOnceAsync(4, i => DeleteAsync(i % 2 == 0 ? storage : other, subject));

        Assert.Equal((RevocationKind.Subject, subject), (Assert.Single(ended, each => each is not null)!.Kind, ended.Single(each => each is not null)!.Key));
        Assert.All(await CountsAsync(storage, subject), count => Assert.Equal(0, count));
        Assert.Equal(before, await CountsAsync(storage, stranger));
        Assert.Null(await storage.Get<ICredentials>().FindBySubjectAsync(subject, Ct));
        Assert.Single(await AuditTypesAsync(storage), type => type == "deleted");
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_all_admins_that_leave_at_once_on_two_nodes_one_stays(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var admins = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var user = new User($"admin{i}") { Email = $"admin{i}@example.com" };
            var added = await storage.Get<IdentityServer.Storage.Users.Users>()
                .AddAsync(user, "Correct horse 9!", [Roles.Admin], Samples.Audit("added"), Ct);
            Assert.True(added.Succeeded, added.ToString());
            admins.Add(user.Id);
            await SignInAsync(storage, Samples.Session(user.Id));
        }

        var ended = await AtOnceAsync(admins.Count, i => DeleteAsync(i % 2 == 0 ? storage : other, admins[i]));

        Assert.Single(ended, each => each is null);
        Assert.False(await storage.Get<ISetupLinks>().AreNeededAsync(Ct));
        var kept = admins[ended.ToList().FindIndex(each => each is null)];
        Assert.Single(await storage.Get<IAccounts>().ListSessionsAsync(kept, Ct));
        Assert.Equal(3, (await AuditTypesAsync(storage)).Count(type => type == "deleted"));
    }

    private static Task<Revocation?> DeleteAsync(TestStorage node, string subject) => node.Get<IRevocationStore>()
        .EndPersonAsync(
            Samples.Revocation(RevocationKind.Subject, subject),
            exceptSessionId: null,
            new AccountDeleted { Audit = Samples.Audit("deleted") with { Subject = subject } },
            Samples.Ending("ended"),
            Ct)
        .AsTask();

    private static async Task<Session> SignInAsync(TestStorage storage, Session session)
    {
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        return session;
    }

    private static async Task<Grant> OpenAsync(TestStorage storage, Grant grant)
    {
        Assert.True(await storage.Get<IGrantStore>().OpenAsync(grant, Samples.Token(grant, TokenKind.Code), Samples.Audit(), Ct));
        return grant;
    }

    /// <summary>A row of every kind that is about a person.</summary>
    private static async Task<Session> FillAsync(TestStorage storage, string subject)
    {
        var session = await SignInAsync(storage, Samples.Session(subject));
        await OpenAsync(storage, Samples.Grant(session, offline: true));
        await storage.Get<IConsentStore>().SaveAsync(new Consent(subject, "web", ["openid"], Samples.Now), Samples.Audit(), Ct);
        var device = FactorContract.Device(subject);
        await storage.Get<IDevices>().SeenAsync(device, Ct);
        await storage.Get<IDeeds>().RunAsync(
            async (db, ct) =>
            {
                db.Authenticators.Add(new Authenticator
                {
                    Id = Handle.NewId(),
                    Subject = subject,
                    Name = "app",
                    SealedSecret = "sealed",
                    CreatedAt = Samples.Now,
                    LastStep = 1,
                });
                db.RecoveryCodes.Add(new RecoveryCode { Id = Handle.NewId(), Subject = subject, Salt = "00", Hash = "00", CreatedAt = Samples.Now });
                db.Places.Add(new Place { Subject = subject, Network = "192.0.2.0/24", FirstSeenAt = Samples.Now, LastSeenAt = Samples.Now });
                db.OutboxMails.Add(new OutboxMail { Id = Handle.NewId(), Subject = subject, Kind = "test", CreatedAt = Samples.Now });
                db.MailLinks.Add(new MailLink
                {
                    Hash = Handle.Create().Hash,
                    Kind = "test",
                    Subject = subject,
                    CreatedAt = Samples.Now,
                    ExpiresAt = Samples.Now.AddMinutes(15),
                });
                foreach (var key in new[] { $"pwd:account:{subject}", $"pwd:account:{subject}:192.0.2.0/24", $"otp:device:{device.Id}" })
                {
                    db.Attempts.Add(new Attempts { Key = key, Count = 1, ExpiresAt = Samples.Now.AddDays(1) });
                }

                return await db.SaveChangesAsync(ct);
            },
            Ct);
        return session;
    }

    private static Task<int[]> CountsAsync(TestStorage storage, string subject) => storage.Get<IDeeds>().RunAsync(
        async (db, ct) => new[]
        {
            await db.Users.CountAsync(row => row.Id == subject, ct),
            await db.Sessions.CountAsync(row => row.Subject == subject, ct),
            await db.Grants.CountAsync(row => row.Subject == subject, ct),
            await db.Tokens.CountAsync(row => db.Grants.Any(grant => grant.Id == row.GrantId && grant.Subject == subject), ct),
            await db.Consents.CountAsync(row => row.Subject == subject, ct),
            await db.Devices.CountAsync(row => row.Subject == subject, ct),
            await db.Authenticators.CountAsync(row => row.Subject == subject, ct),
            await db.RecoveryCodes.CountAsync(row => row.Subject == subject, ct),
            await db.Places.CountAsync(row => row.Subject == subject, ct),
            await db.OutboxMails.CountAsync(row => row.Subject == subject, ct),
            await db.MailLinks.CountAsync(row => row.Subject == subject, ct),
            await db.Attempts.CountAsync(row => row.Key.Contains(subject), ct),
        },
        Ct);
}
