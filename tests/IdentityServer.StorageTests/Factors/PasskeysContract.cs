using System.Security.Cryptography;
using IdentityServer.Storage;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Factors;

public sealed class PasskeysContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_passkey_is_found_as_it_was_added(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var passkeys = storage.Get<IPasskeys>();
        var alice = await AddPersonAsync(storage, "alice");
        var passkey = Of(alice) with { Name = "Schlüssel 🔑", SignCount = uint.MaxValue, LastUsedAt = Samples.Now };
        var newer = Of(alice) with { CreatedAt = Samples.Now.AddSeconds(1), IsUserVerified = true, IsBackupEligible = true };

        Assert.Equal(PasskeyAddition.Added, await passkeys.AddAsync(newer, Samples.Audit("added"), mail: null, Ct));
        Assert.Equal(PasskeyAddition.Added, await passkeys.AddAsync(passkey, Samples.Audit("added"), mail: null, Ct));

        Assert.Equivalent(passkey, await passkeys.FindAsync(passkey.CredentialId, Ct), strict: true);
        Assert.Equivalent(new[] { passkey, newer }, await passkeys.ListAsync(alice, Ct), strict: true);
        Assert.Null(await passkeys.FindAsync([1, 2, 3], Ct));
        Assert.Empty(await passkeys.ListAsync("nobody", Ct));
        Assert.Empty(await passkeys.ListAsync("\0", Ct));
        Assert.Equal(2, (await AuditTypesAsync(storage)).Count(type => type == "added"));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_credential_belongs_to_one_person(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var alice = await AddPersonAsync(storage, "alice");
        var bob = await AddPersonAsync(storage, "bob");
        var passkey = Of(alice);

        var results = await AtOnceAsync(8, async i => await (i % 2 == 0 ? storage : other).Get<IPasskeys>()
            .AddAsync(passkey with { Subject = i % 2 == 0 ? alice : bob }, Samples.Audit("added"), mail: null, Ct));

        Assert.Single(results, PasskeyAddition.Added);
        Assert.Equal(7, results.Count(result => result == PasskeyAddition.AlreadyRegistered));
        Assert.Single(await AuditTypesAsync(storage), "added");
        Assert.Equal(1, await CountAsync<Passkey>(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_person_has_no_more_than_the_most_also_when_adding_on_two_nodes_at_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var alice = await AddPersonAsync(storage, "alice");
        var bob = await AddPersonAsync(storage, "bob");
        for (var i = 1; i < IPasskeys.Most; i++)
        {
            Assert.Equal(PasskeyAddition.Added, await storage.Get<IPasskeys>().AddAsync(Of(alice), Samples.Audit(), mail: null, Ct));
        }

        var results = await AtOnceAsync(6, async i =>
            await (i % 2 == 0 ? storage : other).Get<IPasskeys>().AddAsync(Of(alice), Samples.Audit(), mail: null, Ct));

        Assert.Single(results, PasskeyAddition.Added);
        Assert.Equal(5, results.Count(result => result == PasskeyAddition.TooMany));
        Assert.Equal(PasskeyAddition.Added, await storage.Get<IPasskeys>().AddAsync(Of(bob), Samples.Audit(), mail: null, Ct));
        Assert.Equal(PasskeyAddition.NoSuchPerson, await storage.Get<IPasskeys>().AddAsync(Of("nobody"), Samples.Audit("none"), mail: null, Ct));
        Assert.DoesNotContain("none", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Only_the_owner_renames_and_removes(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var passkeys = storage.Get<IPasskeys>();
        var alice = await AddPersonAsync(storage, "alice");
        var bob = await AddPersonAsync(storage, "bob");
        var passkey = Of(alice);
        await passkeys.AddAsync(passkey, Samples.Audit(), mail: null, Ct);

        Assert.False(await passkeys.RenameAsync(bob, passkey.Id, "mine", Samples.Audit("renamed"), Ct));
        Assert.False(await passkeys.RenameAsync(alice, passkey.Id + "\0", "mine", Samples.Audit("renamed"), Ct));
        Assert.Equal(PasskeyRemoval.NotFound, await passkeys.RemoveAsync(bob, passkey.Id, false, Samples.Audit("removed"), mail: null, Ct));
        Assert.Equal(PasskeyRemoval.NotFound, await passkeys.RemoveAsync(alice, "\0", false, Samples.Audit("removed"), mail: null, Ct));
        Assert.Equal("Phone", (await passkeys.FindAsync(passkey.CredentialId, Ct))!.Name);
        Assert.DoesNotContain(await AuditTypesAsync(storage), type => type is "renamed" or "removed");

        Assert.True(await passkeys.RenameAsync(alice, passkey.Id, new string('é', 150), Samples.Audit("renamed"), Ct));
        Assert.Equal(new string('é', 100), (await passkeys.FindAsync(passkey.CredentialId, Ct))!.Name);
        Assert.Equal(PasskeyRemoval.Removed, await passkeys.RemoveAsync(alice, passkey.Id, false, Samples.Audit("removed"), mail: null, Ct));
        Assert.Null(await passkeys.FindAsync(passkey.CredentialId, Ct));
        Assert.Contains("renamed", await AuditTypesAsync(storage));
        Assert.Contains("removed", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_two_last_factors_removed_at_once_one_stays(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var alice = await AddPersonAsync(storage, "alice");
        Passkey[] both = [Of(alice), Of(alice)];
        foreach (var passkey in both)
        {
            await storage.Get<IPasskeys>().AddAsync(passkey, Samples.Audit(), mail: null, Ct);
        }

        var results = await AtOnceAsync(2, async i => await (i == 0 ? storage : other).Get<IPasskeys>()
            .RemoveAsync(alice, both[i].Id, keepOneFactor: true, Samples.Audit(), mail: null, Ct));

        Assert.Equal([PasskeyRemoval.Removed, PasskeyRemoval.LastFactor], results.Order());
        Assert.Equal(1, await CountAsync<Passkey>(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_last_passkey_may_go_when_an_authenticator_stays(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var alice = await AddPersonAsync(storage, "alice");
        var passkey = Of(alice);
        await storage.Get<IPasskeys>().AddAsync(passkey, Samples.Audit(), mail: null, Ct);
        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            db.Authenticators.Add(new Authenticator
            {
                Id = "a",
                Subject = alice,
                Name = "App",
                SealedSecret = "sealed",
                CreatedAt = Samples.Now,
                LastStep = 1,
            });
            await db.SaveChangesAsync(Ct);
        }

        var removed = await storage.Get<IPasskeys>().RemoveAsync(alice, passkey.Id, keepOneFactor: true, Samples.Audit(), mail: null, Ct);

        Assert.Equal(PasskeyRemoval.Removed, removed);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_change_of_passkeys_ends_what_devices_were_trusted_with(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var (passkeys, devices) = (storage.Get<IPasskeys>(), storage.Get<IDevices>());
        var alice = await AddPersonAsync(storage, "alice");
        var passkey = Of(alice);

        await TrustAsync();
        await passkeys.AddAsync(passkey, Samples.Audit(), mail: null, Ct);
        Assert.Null(Assert.Single(await devices.ListAsync(alice, Samples.Now, Ct)).RememberedUntil);

        await TrustAsync();
        await passkeys.RenameAsync(alice, passkey.Id, "Key", Samples.Audit(), Ct);
        Assert.NotNull(Assert.Single(await devices.ListAsync(alice, Samples.Now, Ct)).RememberedUntil);
        await passkeys.RemoveAsync(alice, passkey.Id, keepOneFactor: false, Samples.Audit(), mail: null, Ct);
        Assert.Null(Assert.Single(await devices.ListAsync(alice, Samples.Now, Ct)).RememberedUntil);

        async Task TrustAsync() => await devices.SeenAsync(
            new Device
            {
                Id = "d",
                Subject = alice,
                BrowserHash = new string('A', 64),
                CreatedAt = Samples.Now,
                LastSeenAt = Samples.Now,
                RememberedUntil = Samples.Now.AddDays(30),
                ExpiresAt = Samples.Now.AddDays(400),
            },
            Ct);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_counter_only_goes_on(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var passkeys = storage.Get<IPasskeys>();
        var passkey = Of(await AddPersonAsync(storage, "alice"));
        await passkeys.AddAsync(passkey, Samples.Audit(), mail: null, Ct);

        Assert.True(await UseAsync(0, Samples.Now));
        Assert.True(await UseAsync(0, Samples.Now));
        Assert.True(await UseAsync(5, Samples.Now.AddMinutes(1)));
        Assert.False(await UseAsync(5, Samples.Now.AddMinutes(2)));
        Assert.False(await UseAsync(4, Samples.Now.AddMinutes(2)));
        Assert.False(await UseAsync(0, Samples.Now.AddMinutes(2)));
        Assert.False(await passkeys.RecordUseAsync(passkey with { Subject = "somebody" }, 9, true, Samples.Now, Ct));

        var found = (await passkeys.FindAsync(passkey.CredentialId, Ct))!;
        Assert.Equal((5L, true, Samples.Now.AddMinutes(1)), (found.SignCount, found.IsBackedUp, found.LastUsedAt!.Value));

        async Task<bool> UseAsync(long count, DateTimeOffset at) => await passkeys.RecordUseAsync(passkey, count, isBackedUp: true, at, Ct);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_same_assertion_on_two_nodes_counts_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var passkey = Of(await AddPersonAsync(storage, "alice")) with { SignCount = 6 };
        await storage.Get<IPasskeys>().AddAsync(passkey, Samples.Audit(), mail: null, Ct);

        var results = await AtOnceAsync(8, async i => await (i % 2 == 0 ? storage : other).Get<IPasskeys>()
            .RecordUseAsync(passkey, 7, isBackedUp: false, Samples.Now, Ct));

        Assert.Single(results, counted => counted);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Identity_reads_our_passkeys_and_changes_none(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var alice = await AddPersonAsync(storage, "alice");
        var bob = await AddPersonAsync(storage, "bob");
        var passkey = Of(alice) with { SignCount = 3, IsBackupEligible = true, IsBackedUp = true };
        await storage.Get<IPasskeys>().AddAsync(passkey, Samples.Audit(), mail: null, Ct);
        var people = storage.Get<UserManager<User>>();

        Assert.True(people.SupportsUserPasskey);
        var owner = (await people.FindByPasskeyIdAsync(passkey.CredentialId))!;
        Assert.Equal(alice, owner.Id);
        var read = Assert.Single(await people.GetPasskeysAsync(owner));
        Assert.Equal(passkey.PublicKey, read.PublicKey);
        Assert.Equal((3u, true, true, "Phone"), (read.SignCount, read.IsBackupEligible, read.IsBackedUp, read.Name));
        Assert.NotNull(await people.GetPasskeyAsync(owner, passkey.CredentialId));
        Assert.Null(await people.GetPasskeyAsync((await people.FindByIdAsync(bob))!, passkey.CredentialId));
        Assert.Null(await people.FindByIdAsync("a\0b"));
        await Assert.ThrowsAsync<NotSupportedException>(() => people.AddOrUpdatePasskeyAsync(owner, read));
        await Assert.ThrowsAsync<NotSupportedException>(() => people.RemovePasskeyAsync(owner, passkey.CredentialId));
    }

    private static Passkey Of(string subject)
    {
        var credentialId = RandomNumberGenerator.GetBytes(1023);
        return new Passkey
        {
            Id = Passkey.IdOf(credentialId),
            Subject = subject,
            CredentialId = credentialId,
            PublicKey = [1, 2, 0, 255],
            Name = "Phone",
            SignCount = 0,
            Transports = ["hybrid", "internal"],
            CreatedAt = Samples.Now,
        };
    }

    private static async Task<string> AddPersonAsync(TestStorage storage, string name)
    {
        var user = new User(name) { NormalizedUserName = name.ToUpperInvariant() };
        await using var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        db.Users.Add(user);
        await db.SaveChangesAsync(Ct);
        return user.Id;
    }
}
