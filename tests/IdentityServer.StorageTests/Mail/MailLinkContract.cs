using IdentityServer.Protocol;
using IdentityServer.Storage;
using IdentityServer.Storage.Mail;

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

        await links.AddAsync(link, mail: null, Ct);

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
            await nodes[0].AddAsync(link, mail: null, Ct);

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
            await links.AddAsync(link, mail: null, Ct);
        }

        await links.AddAsync(Link() with { Subject = earlier.Subject }, mail: null, Ct);
        await links.AddAsync(Link() with { Subject = null, Email = nobody.Email }, mail: null, Ct);

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

        await links.AddAsync(first, mail, Ct);
        await Assert.ThrowsAnyAsync<Exception>(() => links.AddAsync(second, mail, Ct).AsTask());

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
        await links.AddAsync(link, mail: null, Ct);
        await links.AddAsync(other, mail: null, Ct);

        await links.CloseAsync(link.Subject!, Kind, Samples.Now, Ct);

        Assert.False(await links.UseAsync(link.Hash, Kind, Samples.Now, Ct));
        Assert.True(await links.UseAsync(other.Hash, "unlock", Samples.Now, Ct));
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
