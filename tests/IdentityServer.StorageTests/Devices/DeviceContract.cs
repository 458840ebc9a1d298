using IdentityServer.Storage;
using IdentityServer.Storage.Devices;
using IdentityServer.StorageTests.Factors;

namespace IdentityServer.StorageTests.Devices;

/// <summary>What <see cref="IDevices"/> promises.</summary>
public sealed class DeviceContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_browser_is_one_device_of_each_person_however_many_tabs_sign_in(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var device = FactorContract.Device("alice");

        var ids = await AtOnceAsync(16, i => (i % 2 == 0 ? storage : other).Get<IDevices>()
            .SeenAsync(device with { Id = $"device{i}" }, Ct).AsTask());

        var id = Assert.Single(ids.Distinct(StringComparer.Ordinal));
        var devices = storage.Get<IDevices>();
        Assert.Equal(device with { Id = id }, Assert.Single(await devices.ListAsync("alice", Samples.Now, Ct)));
        Assert.Null(await devices.FindAsync("bob", device.BrowserHash, Samples.Now, Ct));
        Assert.Null(await devices.FindAsync("alice", device.BrowserHash, device.ExpiresAt, Ct));
        await devices.SeenAsync(device with { Subject = "bob", Id = "bobs" }, Ct);
        Assert.Equal("bobs", (await devices.FindAsync("bob", device.BrowserHash, Samples.Now, Ct))!.Id);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Being_seen_again_neither_begins_nor_ends_what_a_device_is_spared(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var devices = storage.Get<IDevices>();
        var device = FactorContract.Device("alice");
        var until = Samples.Now.AddDays(30);
        await devices.SeenAsync(device with { RememberedUntil = until }, Ct);

        await devices.SeenAsync(device with { LastSeenAt = Samples.Now.AddDays(1), UserAgent = new string('x', 1000) }, Ct);

        var seen = (await devices.FindAsync("alice", device.BrowserHash, Samples.Now, Ct))!;
        Assert.Equal((until, Samples.Now.AddDays(1), 400), (seen.RememberedUntil, seen.LastSeenAt, seen.UserAgent!.Length));
        Assert.False(await devices.ForgetFactorAsync("bob", device.Id, Samples.Audit(), Ct));
        Assert.True(await devices.ForgetFactorAsync("alice", device.Id, Samples.Audit(), Ct));
        Assert.Null((await devices.FindAsync("alice", device.BrowserHash, Samples.Now, Ct))!.RememberedUntil);
        Assert.False(await devices.ForgetAsync("bob", device.Id, Samples.Audit(), Ct));
        Assert.True(await devices.ForgetAsync("alice", device.Id, Samples.Audit(), Ct));
        Assert.False(await devices.ForgetAsync("alice", device.Id, Samples.Audit(), Ct));
        Assert.Null(await devices.FindAsync("alice", device.BrowserHash, Samples.Now, Ct));
    }
}
