using IdentityServer.Protocol;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;
using IdentityServer.Storage.Cleanup;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Cleanup;

public sealed class CutoffMarksContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_a_cutoff_ended_is_marked_in_batches_and_what_came_after_is_not(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var session = Samples.Session();
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        const int Grants = (CutoffMarks.BatchSize * 2) + 7;
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            db.Grants.AddRange(Enumerable.Range(0, Grants).Select(_ => Samples.Grant(session)));
            await db.SaveChangesAsync(Ct);
        }

        await storage.Get<IRevocationStore>().EndPersonAsync(
            Samples.Revocation(RevocationKind.Subject, session.Subject), null, null, Samples.Ending(), Ct);
        var later = Samples.Session(session.Subject);
        await storage.Get<ISessionStore>().OpenAsync(later, Handle.Create().Hash, Samples.Audit(), Ct);
        var alive = Samples.Grant(later);
        Assert.True(await storage.Get<IGrantStore>().OpenAsync(alive, Samples.Token(alive, TokenKind.Code), Samples.Audit(), Ct));

        // Not at once: something may still be on its way into the tables.
        Assert.Equal(0, await storage.Get<ICutoffMarks>().MarkAsync(Samples.Now.AddMinutes(5), Ct));
        var marked = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<ICutoffMarks>().MarkAsync(Samples.Now.AddMinutes(6), Ct).AsTask());

        Assert.Equal(Grants + 1, marked.Sum());
        Assert.Equal(0, await storage.Get<ICutoffMarks>().MarkAsync(Samples.Now.AddMinutes(6), Ct));
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            Assert.Equal([alive.Id], await db.Grants.Where(grant => grant.EndedAt == null).Select(grant => grant.Id).ToListAsync(Ct));
            Assert.Equal([later.Id], await db.Sessions.Where(row => row.EndedAt == null).Select(row => row.Id).ToListAsync(Ct));
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_cutoff_is_forgotten_only_when_nothing_needs_it_to_be_dead(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var session = Samples.Session();
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        var grant = Samples.Grant(session, offline: true);
        await storage.Get<IGrantStore>().OpenAsync(grant, Samples.Token(grant, TokenKind.Code), Samples.Audit(), Ct);
        var store = storage.Get<IRevocationStore>();
        await store.EndClientAsync(Samples.Revocation(RevocationKind.Client, grant.ClientId), null, Samples.Ending(), Ct);
        await store.EndEverythingAsync(Samples.Revocation(RevocationKind.Everything, Revocation.Everyone), Samples.Ending(), Ct);

        var later = Samples.Now.AddDays(2);
        await storage.Get<IExpiredRows>().DeleteAsync(later, Ct);
        Assert.NotNull((await storage.Get<IGrantStore>().FindAsync(grant.Id, Ct))!.EndedAt);
        Assert.NotNull((await storage.Get<ISessionStore>().FindAsync(session.Id, Ct))!.EndedAt);

        await storage.Get<ICutoffMarks>().MarkAsync(later, Ct);
        Assert.Equal(2, (await storage.Get<IExpiredRows>().DeleteAsync(later, Ct))["Revocations"]);

        Assert.NotNull((await storage.Get<IGrantStore>().FindAsync(grant.Id, Ct))!.EndedAt);
        Assert.NotNull((await storage.Get<ISessionStore>().FindAsync(session.Id, Ct))!.EndedAt);
    }
}
