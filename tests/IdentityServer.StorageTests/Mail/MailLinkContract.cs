using IdentityServer.Protocol;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage;
using IdentityServer.Storage.Mail;
using IdentityServer.Storage.Revocations;
using IdentityServer.Storage.Users;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Mail;

public sealed class MailLinkContract : Contract
{
    private const string Kind = "password_reset";

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_link_is_open_for_its_kind_until_its_end(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var links = storage.Get<IMailLinks>();
        var link = Link();

        await links.AddAsync(link, mail: null, replaces: true, audit: null, Ct);

        Assert.Equal(link, await links.FindOpenAsync(link.Hash, Kind, Samples.Now, Ct));
        Assert.Null(await links.FindOpenAsync(link.Hash, "unlock", Samples.Now, Ct));
        Assert.Null(await links.FindOpenAsync(link.Hash, Kind, link.ExpiresAt, Ct));
        Assert.Null(await links.FindOpenAsync(Handle.Create().Hash, Kind, Samples.Now, Ct));
        Assert.False(await links.UseAsync(link.Hash, "unlock", Samples.Now, Ct));
        Assert.False(await links.UseAsync(link.Hash, Kind, link.ExpiresAt, Ct));
        Assert.True(await links.UseAsync(link.Hash, Kind, Samples.Now, Ct));
        Assert.Null(await links.FindOpenAsync(link.Hash, Kind, Samples.Now, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_many_uses_at_once_on_two_nodes_one_is_first(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var second = storage.AnotherNode();
        IMailLinks[] nodes = [storage.Get<IMailLinks>(), second.Get<IMailLinks>()];
        for (var round = 0; round < 10; round++)
        {
            var link = Link();
            await nodes[0].AddAsync(link, mail: null, replaces: true, audit: null, Ct);

            var uses = await AtOnceAsync(8, i => nodes[i % 2].UseAsync(link.Hash, Kind, Samples.Now, Ct).AsTask());

            Assert.Single(uses, used => used);
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_new_link_closes_the_earlier_ones_of_its_kind_and_person(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var links = storage.Get<IMailLinks>();
        var earlier = Link();
        var otherKind = Link() with { Subject = earlier.Subject, Kind = "unlock" };
        var otherPerson = Link();
        var nobody = Link() with { Subject = null, Email = "new@example.com" };
        var nobodyElse = Link() with { Subject = null, Email = "else@example.com" };
        foreach (var link in new[] { earlier, otherKind, otherPerson, nobody, nobodyElse })
        {
            await links.AddAsync(link, mail: null, replaces: true, audit: null, Ct);
        }

        await links.AddAsync(Link() with { Subject = earlier.Subject }, mail: null, replaces: true, audit: null, Ct);
        await links.AddAsync(Link() with { Subject = null, Email = nobody.Email }, mail: null, replaces: true, audit: null, Ct);

        Assert.Null(await FindAsync(earlier));
        Assert.Null(await FindAsync(nobody));
        Assert.NotNull(await FindAsync(otherKind));
        Assert.NotNull(await FindAsync(otherPerson));
        Assert.NotNull(await FindAsync(nobodyElse));

        ValueTask<MailLink?> FindAsync(MailLink link) => links.FindOpenAsync(link.Hash, link.Kind, Samples.Now, Ct);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_link_and_its_mail_are_stored_together_or_not_at_all(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var links = storage.Get<IMailLinks>();
        var mail = new OutboxMail { Id = Handle.NewId(), Kind = Kind, CreatedAt = Samples.Now, NextAttemptAt = Samples.Now, Sealed = "s" };
        var (first, second) = (Link(), Link());

        await links.AddAsync(first, mail, replaces: true, Samples.Audit(), Ct);
        await Assert.ThrowsAnyAsync<Exception>(() => links.AddAsync(second, mail, replaces: true, Samples.Audit(), Ct).AsTask());

        Assert.Equal([mail], await storage.Get<IOutbox>().DueAsync(Samples.Now, 10, Ct));
        Assert.NotNull(await links.FindOpenAsync(first.Hash, Kind, Samples.Now, Ct));
        Assert.Null(await links.FindOpenAsync(second.Hash, Kind, Samples.Now, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task All_links_of_a_kind_and_person_are_closed_at_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var links = storage.Get<IMailLinks>();
        var link = Link();
        var other = Link() with { Subject = link.Subject, Kind = "unlock" };
        await links.AddAsync(link, mail: null, replaces: true, audit: null, Ct);
        await links.AddAsync(other, mail: null, replaces: true, audit: null, Ct);

        await links.CloseAsync(link.Subject!, Kind, Samples.Now, Ct);

        Assert.False(await links.UseAsync(link.Hash, Kind, Samples.Now, Ct));
        Assert.True(await links.UseAsync(other.Hash, "unlock", Samples.Now, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Links_that_live_side_by_side_close_none(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var links = storage.Get<IMailLinks>();
        var first = Link();
        var second = Link() with { Subject = first.Subject };

        await links.AddAsync(first, mail: null, replaces: false, audit: null, Ct);
        await links.AddAsync(second, mail: null, replaces: false, audit: null, Ct);

        Assert.NotNull(await links.FindOpenAsync(first.Hash, Kind, Samples.Now, Ct));
        Assert.NotNull(await links.FindOpenAsync(second.Hash, Kind, Samples.Now, Ct));
        Assert.Empty(await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_two_nodes_with_one_link_one_sets_the_password(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var second = storage.AnotherNode();
        IRevocationStore[] nodes = [storage.Get<IRevocationStore>(), second.Get<IRevocationStore>()];
        for (var round = 0; round < 5; round++)
        {
            var user = await AddUserAsync(storage, $"alice{round}");
            var link = Link() with { Subject = user.Id };
            await storage.Get<IMailLinks>().AddAsync(link, mail: null, replaces: true, audit: null, Ct);
            var person = Samples.Revocation(RevocationKind.Session, user.Id);

            var done = await AtOnceAsync(4, i => nodes[i % 2].EndPersonAsync(person, null, Change(i), Samples.Ending(), Ct).AsTask());

            var winner = Assert.Single(done.Index(), ended => ended.Item is not null).Index;
            Assert.Equal($"hash {winner}", (await UserAsync(storage, user.Id)).PasswordHash);

            NewPassword Change(int i) => new() { PasswordHash = $"hash {i}", LinkHash = link.Hash, Audit = Samples.Audit("user.password_changed") };
        }

        Assert.Equal(5, (await AuditTypesAsync(storage)).Count(type => type == "user.password_changed"));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_proven_address_is_the_person_s_unless_it_became_another_s(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var links = storage.Get<IMailLinks>();
        var alice = await AddUserAsync(storage, "alice");
        var bob = await AddUserAsync(storage, "bob@example.com");
        var change = new EmailChange(Samples.Audit("verified"), Samples.Audit("changed"), Notice());

        // 1 her own
        Assert.True(await ProveAsync(alice, alice.Email!, change));
        Assert.Equal(("alice@example.com", true, "alice"), Known(await UserAsync(storage, alice.Id)));
        Assert.Equal(["verified"], await AuditTypesAsync(storage));
        Assert.Empty(await storage.Get<IOutbox>().LatestAsync(9, Ct));

        // 2 another one; what was on its way to the one that was works no more
        var onItsWay = Link() with { Subject = alice.Id, Email = alice.Email };
        await links.AddAsync(onItsWay, mail: null, replaces: true, audit: null, Ct);
        Assert.True(await ProveAsync(alice, "new@example.com", change));
        Assert.Equal(("new@example.com", true, "alice"), Known(await UserAsync(storage, alice.Id)));
        Assert.Null(await links.FindOpenAsync(onItsWay.Hash, Kind, Samples.Now, Ct));
        Assert.Equal(change.Notice!.Id, Assert.Single(await storage.Get<IOutbox>().LatestAsync(9, Ct)).Id);

        // 3 who signs in by the address goes on doing so
        Assert.True(await ProveAsync(bob, "Robert@example.com", change with { Notice = null }));
        Assert.Equal(("Robert@example.com", true, "Robert@example.com"), Known(await UserAsync(storage, bob.Id)));

        // 4 taken, as an address or as a name
        Assert.False(await ProveAsync(alice, "ROBERT@example.com", change));
        Assert.False(await links.ProveEmailAsync(Handle.Create().Hash, "verify_email", Samples.Now, change, Ct));
        Assert.Equal(("new@example.com", true, "alice"), Known(await UserAsync(storage, alice.Id)));

        async Task<bool> ProveAsync(User user, string email, EmailChange with)
        {
            var link = Link() with { Kind = "verify_email", Subject = user.Id, Email = email };
            await links.AddAsync(link, mail: null, replaces: true, audit: null, Ct);
            return await links.ProveEmailAsync(link.Hash, "verify_email", Samples.Now, with, Ct);
        }
    }

    private static (string? Email, bool IsProven, string? Name) Known(User user) => (user.Email, user.EmailConfirmed, user.UserName);

    private static OutboxMail Notice() =>
        new() { Id = Handle.NewId(), Kind = "email_changed", CreatedAt = Samples.Now, NextAttemptAt = Samples.Now, Sealed = "s" };

    private static async Task<User> AddUserAsync(TestStorage storage, string name)
    {
        var email = name.Contains('@') ? name : $"{name}@example.com";
        var user = new User(name)
        {
            NormalizedUserName = name.ToUpperInvariant(),
            Email = email,
            NormalizedEmail = email.ToUpperInvariant(),
        };
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        db.Users.Add(user);
        await db.SaveChangesAsync(Ct);
        return user;
    }

    private static async Task<User> UserAsync(TestStorage storage, string id)
    {
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        return await db.Users.AsNoTracking().SingleAsync(user => user.Id == id, Ct);
    }

    private static MailLink Link() => new()
    {
        Hash = Handle.Create().Hash,
        Kind = Kind,
        Subject = Handle.NewId(),
        Email = "alice@example.com",
        BrowserHash = Handle.Create().Hash,
        RequestHash = Handle.Create().Hash,
        CreatedAt = Samples.Now,
        ExpiresAt = Samples.Now.AddMinutes(15),
    };
}
