using System.Xml.Linq;
using IdentityServer.Storage;
using IdentityServer.Storage.DataProtection;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace IdentityServer.StorageTests.DataProtection;

public sealed class DataProtectionKeysContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Elements_of_the_ring_are_read_back_by_every_node(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var first = new XElement("key", new XAttribute("id", "1"), new XElement("sealed", "äöü <&>"));
        var second = new XElement("revocation");
        Assert.Empty(storage.Get<IXmlRepository>().GetAllElements());

        storage.Get<IXmlRepository>().StoreElement(first, "key-1");
        other.Get<IXmlRepository>().StoreElement(second, "revocation-1");

        var found = other.Get<IXmlRepository>().GetAllElements().ToArray();
        Assert.Equal(2, found.Length);
        Assert.True(XNode.DeepEquals(first, found[0]));
        Assert.True(XNode.DeepEquals(second, found[1]));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_row_is_sealed_anew_only_while_it_is_as_it_was_read(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var missing = new DataProtectionKey { Id = 1, Xml = "<key />" };
        Assert.False(await storage.Get<IDataProtectionKeys>().ResealAsync(missing, "<key>new</key>", Samples.Audit("refused"), Ct));
        storage.Get<IXmlRepository>().StoreElement(new XElement("key", "äöü one"), "key-1");
        storage.Get<IXmlRepository>().StoreElement(new XElement("key", "two"), "key-2");
        var rows = await storage.Get<IDataProtectionKeys>().ListAsync(Ct);
        Assert.Equal(["key-1", "key-2"], rows.Select(row => row.FriendlyName));

        for (var round = 0; round < 20; round++)
        {
            var row = (await storage.Get<IDataProtectionKeys>().ListAsync(Ct))[0];
            var done = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<IDataProtectionKeys>()
                .ResealAsync(row, $"<key>{round} {i}</key>", Samples.Audit("resealed"), Ct).AsTask());
            Assert.Single(done, won => won);
        }

        Assert.False(await storage.Get<IDataProtectionKeys>().ResealAsync(rows[0], "<key />", Samples.Audit("refused"), Ct));
        Assert.Equal("<key>two</key>", (await other.Get<IDataProtectionKeys>().ListAsync(Ct))[1].Xml);
        Assert.Equal(20, (await AuditTypesAsync(storage)).Count(type => type == "resealed"));
        Assert.DoesNotContain("refused", await AuditTypesAsync(storage));
    }
}
