using IdentityServer.Protocol;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.SignIns;
using IdentityServer.Storage.Users;
using IdentityServer.StorageTests.Factors;

namespace IdentityServer.StorageTests.Sessions;

public sealed class SessionStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_session_is_found_by_its_handle_and_by_its_id(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sessions = storage.Get<ISessionStore>();
        var session = Samples.Session();
        var handle = Handle.Create();

        await sessions.OpenAsync(session, handle.Hash, Samples.Audit("opened"), Ct);

        Assert.Equivalent(session, await sessions.FindByHandleAsync(handle.Hash, Ct), strict: true);
        Assert.Equivalent(session, await sessions.FindAsync(session.Id, Ct), strict: true);
        Assert.Null(await sessions.FindAsync(Turned(session.Id), Ct));
        Assert.Null(await sessions.FindByHandleAsync(handle.Hash.ToLowerInvariant(), Ct));
        Assert.Null(await sessions.FindAsync(new string('x', 100_000), Ct));
        Assert.Equal(["opened"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Renewing_moves_the_handle_and_the_proof_and_nothing_else(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sessions = storage.Get<ISessionStore>();
        var session = Samples.Session();
        var (old, fresh) = (Handle.Create(), Handle.Create());
        await sessions.OpenAsync(session, old.Hash, Samples.Audit(), Ct);
        var renewed = session with
        {
            AuthenticatedAt = Samples.Now.AddMinutes(5),
            LastSeenAt = Samples.Now.AddMinutes(5),
            Amr = ["pwd", "otp", "mfa"],
            Acr = "urn:other",
            IdleLifetime = TimeSpan.FromDays(14),
            ExpiresAt = Samples.Now.AddDays(30),
            KeepSignedIn = false,
        };

        Assert.True(await sessions.RenewAsync(renewed, fresh.Hash, Samples.Audit("renewed"), Ct));

        Assert.Null(await sessions.FindByHandleAsync(old.Hash, Ct));
        Assert.Equivalent(renewed, await sessions.FindByHandleAsync(fresh.Hash, Ct), strict: true);
        Assert.Contains("renewed", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_ended_session_is_found_as_ended_and_not_renewed(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sessions = storage.Get<ISessionStore>();
        var session = Samples.Session();
        var handle = Handle.Create();
        await sessions.OpenAsync(session, handle.Hash, Samples.Audit(), Ct);
        await storage.Get<IRevocationStore>().EndSessionAsync(
            Samples.Revocation(RevocationKind.Session, session.Id), alsoOffline: false, Samples.Ending(), Ct);

        Assert.False(await sessions.RenewAsync(session, Handle.Create().Hash, Samples.Audit("renewed"), Ct));
        await sessions.TouchAsync(session.Id, Samples.Now.AddMinutes(9), Ct);

        var found = await sessions.FindByHandleAsync(handle.Hash, Ct);
        Assert.Equal((Samples.Now, Samples.Now), (found!.EndedAt, found.LastSeenAt));
        Assert.DoesNotContain("renewed", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Nobody_renews_the_session_of_somebody_else(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var session = await SignInAsync(storage);

        Assert.False(await storage.Get<ISessionStore>().RenewAsync(
            session with { Subject = Handle.NewId() }, Handle.Create().Hash, Samples.Audit(), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Last_seen_only_moves_forward(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var sessions = storage.Get<ISessionStore>();
        var session = await SignInAsync(storage);

        await sessions.TouchAsync(session.Id, Samples.Now.AddMinutes(3), Ct);
        await sessions.TouchAsync(session.Id, Samples.Now.AddMinutes(2), Ct);

        Assert.Equal(Samples.Now.AddMinutes(3), (await sessions.FindAsync(session.Id, Ct))!.LastSeenAt);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_clients_of_a_session_are_listed_once_each(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var session = await SignInAsync(storage);
        foreach (var clientId in new[] { "web", "spa", "web", "Web" })
        {
            var grant = Samples.Grant(session, clientId);
            await storage.Get<IGrantStore>().OpenAsync(grant, Samples.Token(grant, TokenKind.Code), Samples.Audit(), Ct);
        }

        Assert.Equal(["Web", "spa", "web"], await storage.Get<ISessionStore>().ListClientsAsync(session.Id, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_overlong_browser_name_is_cut_not_refused(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var session = Samples.Session() with { UserAgent = new string('u', 10_000) + "\0" };

        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);

        Assert.Equal(new string('u', 400), (await storage.Get<ISessionStore>().FindAsync(session.Id, Ct))!.UserAgent);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_sign_in_with_the_old_password_never_outlives_the_new_one(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        for (var round = 0; round < 10; round++)
        {
            var subject = await FactorContract.AddPersonAsync(storage);
            var seen = (await storage.Get<ICredentials>().FindBySubjectAsync(subject, Ct))!.User;
            var session = Samples.Session(subject);

            await AtOnceAsync(2, async i => i == 0
                ? await storage.Get<ISignInDoor>().OpenAsync(seen, session, Handle.Create().Hash, Samples.Audit(), Ct)
                : await other.Get<IRevocationStore>().EndPersonAsync(
                    Samples.Revocation(RevocationKind.Subject, subject),
                    null,
                    new NewPassword { PasswordHash = "new", Audit = Samples.Audit() },
                    Samples.Ending(),
                    Ct) is not null);

            Assert.False((await storage.Get<ISessionStore>().FindAsync(session.Id, Ct)) is { EndedAt: null });
            Assert.False(await storage.Get<ISignInDoor>().OpenAsync(seen, Samples.Session(subject), Handle.Create().Hash, Samples.Audit(), Ct));
            var now = (await storage.Get<ICredentials>().FindBySubjectAsync(subject, Ct))!.User;
            Assert.True(await storage.Get<ISignInDoor>().OpenAsync(now, Samples.Session(subject), Handle.Create().Hash, Samples.Audit(), Ct));
        }
    }
}
