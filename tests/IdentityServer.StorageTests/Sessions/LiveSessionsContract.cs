using IdentityServer.Protocol;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Sessions;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Sessions;

public sealed class LiveSessionsContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task As_many_are_listed_as_are_asked_for_and_the_next_part_goes_on_there(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var subject = Handle.NewId();
        const int Sessions = 230;
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            for (var i = 0; i < Sessions; i++)
            {
                // Every third one has fallen asleep.
                var session = Samples.Session(subject) with
                {
                    CreatedAt = Samples.Now.AddMilliseconds(i / 2),
                    LastSeenAt = i % 3 == 0 ? Samples.Now.AddHours(-1) : Samples.Now,
                };
                db.Sessions.Add(session).Property("HandleHash").CurrentValue = Handle.Create().Hash;
                db.Grants.Add(Samples.Grant(session));
            }

            await db.SaveChangesAsync(Ct);
        }

        var live = storage.Get<ILiveSessions>();
        var filter = new LiveFilter { Subject = subject };
        var first = await live.ListAsync(filter, null, 100, Samples.Now, Ct);
        var rest = await live.ListAsync(filter, (first[^1].Session.CreatedAt, first[^1].Session.Id), 201, Samples.Now, Ct);
        var grants = await live.ListGrantsAsync(filter, null, 201, Samples.Now, Ct);
        var more = await live.ListGrantsAsync(filter, grants[^1].Grant.Id, 201, Samples.Now, Ct);

        Assert.Equal(100, first.Count);
        Assert.Equal(Sessions * 2 / 3, first.Concat(rest).Select(entry => entry.Session.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(
            first.Concat(rest).Select(entry => entry.Session.CreatedAt).OrderDescending(), first.Concat(rest).Select(entry => entry.Session.CreatedAt));
        Assert.All(first, entry => Assert.Equal(["web"], entry.Clients));
        Assert.Equal(201, grants.Count);
        Assert.Equal(Sessions, grants.Concat(more).Select(entry => entry.Grant.Id).Distinct(StringComparer.Ordinal).Count());
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Each_filter_leaves_out_what_it_says(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var one = await OpenAsync(storage, Samples.Session());
        var other = await OpenAsync(storage, Samples.Session() with { Address = "2001:db8::1", CreatedAt = Samples.Now.AddMinutes(1) });
        await GrantAsync(storage, one, offline: false);

        Assert.Equal([other.Id, one.Id], await IdsAsync(new LiveFilter()));
        Assert.Equal([one.Id], await IdsAsync(new LiveFilter { Subject = one.Subject }));
        Assert.Equal([one.Id], await IdsAsync(new LiveFilter { ClientId = "web" }));
        Assert.Equal([other.Id], await IdsAsync(new LiveFilter { Address = "2001:db8::1" }));
        Assert.Equal([other.Id], await IdsAsync(new LiveFilter { Since = Samples.Now.AddMinutes(1) }));
        Assert.Equal([one.Id], await IdsAsync(new LiveFilter { Before = Samples.Now.AddMinutes(1) }));
        Assert.Empty(await IdsAsync(new LiveFilter { ClientId = "Web" }));
        foreach (var impossible in new[] { "\0", "web\0", "w\u00e9b", "", new string('x', 100_000) })
        {
            Assert.Empty(await IdsAsync(new LiveFilter { Subject = impossible }));
            Assert.Empty(await IdsAsync(new LiveFilter { ClientId = impossible }));
            Assert.Empty(await IdsAsync(new LiveFilter { Address = impossible }));
            Assert.Empty(await storage.Get<ILiveSessions>().ListAsync(new LiveFilter(), (Samples.Now.AddHours(1), impossible), 10, Samples.Now, Ct));
            Assert.Empty(await storage.Get<ILiveSessions>().ListGrantsAsync(new LiveFilter { ClientId = impossible }, null, 10, Samples.Now, Ct));
        }

        async Task<string[]> IdsAsync(LiveFilter filter) =>
            [.. (await storage.Get<ILiveSessions>().ListAsync(filter, null, 10, Samples.Now, Ct)).Select(entry => entry.Session.Id)];
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Only_what_still_holds_something_is_to_be_ended(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var alive = await OpenAsync(storage, Samples.Session());
        var young = await OpenAsync(storage, Samples.Session() with { CreatedAt = Samples.Now.AddHours(1) });
        var expired = await OpenAsync(storage, Samples.Session() with { ExpiresAt = Samples.Now });
        var signedOut = await OpenAsync(storage, Samples.Session());
        var withOffline = await OpenAsync(storage, Samples.Session());
        var cut = await OpenAsync(storage, Samples.Session());
        await GrantAsync(storage, signedOut, offline: false);
        await GrantAsync(storage, withOffline, offline: true);
        foreach (var session in new[] { signedOut, withOffline })
        {
            await storage.Get<IRevocationStore>().EndSessionAsync(
                Samples.Revocation(RevocationKind.Session, session.Id), alsoOffline: false, Samples.Ending(), Ct);
        }

        await storage.Get<IRevocationStore>().EndPersonAsync(Samples.Revocation(RevocationKind.Subject, cut.Subject), null, null, Samples.Ending(), Ct);

        var listed = await storage.Get<ILiveSessions>().ListOpenedBeforeAsync(Samples.Now.AddHours(1), "", Samples.Now, Ct);

        Assert.Equal(new[] { alive.Id, withOffline.Id }.Order(StringComparer.Ordinal), listed.Select(entry => entry.Id));
        Assert.DoesNotContain(listed, entry => entry.Id == young.Id || entry.Id == expired.Id);
        Assert.Empty(await storage.Get<ILiveSessions>().ListOpenedBeforeAsync(Samples.Now.AddHours(1), listed[^1].Id, Samples.Now, Ct));
    }

    private static async Task<Session> OpenAsync(TestStorage storage, Session session)
    {
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        return session;
    }

    private static async Task GrantAsync(TestStorage storage, Session session, bool offline)
    {
        var grant = Samples.Grant(session, offline: offline);
        Assert.True(await storage.Get<IGrantStore>().OpenAsync(grant, Samples.Token(grant, TokenKind.Code), Samples.Audit(), Ct));
    }
}
