using System.Xml.Linq;
using IdentityServer.Storage;
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
}
