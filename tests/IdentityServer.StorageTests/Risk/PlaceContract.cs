using IdentityServer.Storage;
using IdentityServer.Storage.Risk;

namespace IdentityServer.StorageTests.Risk;

/// <summary>What <see cref="IPlaces"/> promises.</summary>
public sealed class PlaceContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_network_is_one_place_of_a_person_and_the_newest_comes_first(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var home = new Place
        {
            Subject = "alice",
            Network = "192.0.2.0/24",
            FirstSeenAt = Samples.Now,
            LastSeenAt = Samples.Now,
            Country = "DK",
            Latitude = 56.15,
            Longitude = 10.21,
        };
        await AtOnceAsync(8, async i =>
        {
            await (i % 2 == 0 ? storage : other).Get<IPlaces>().SeenAsync(home, Ct);
            return i;
        });
        var places = storage.Get<IPlaces>();
        var office = home with { Network = "2001:db8:1::/48", LastSeenAt = Samples.Now.AddHours(1), Country = null, Latitude = null, Longitude = null };
        await places.SeenAsync(office, Ct);
        await places.SeenAsync(home with { Subject = "bob" }, Ct);

        Assert.Equal([office, home], await places.ListAsync("alice", Ct));
        await places.SeenAsync(home with { LastSeenAt = Samples.Now.AddHours(2), FirstSeenAt = Samples.Now.AddHours(2), Latitude = 55 }, Ct);
        Assert.Equal(
            [home with { LastSeenAt = Samples.Now.AddHours(2), Latitude = 55 }, office], await places.ListAsync("alice", Ct));
    }
}
