using IdentityServer.Protocol;
using IdentityServer.Storage;
using IdentityServer.Storage.Devices;
using IdentityServer.Storage.Factors;
using IdentityServer.Storage.Users;

namespace IdentityServer.StorageTests.Factors;

/// <summary>What <see cref="IAuthenticators"/>, <see cref="IRecoveryCodes"/> and <see cref="IFactors"/> promise.</summary>
public sealed class FactorContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_time_step_is_accepted_once_on_two_nodes_and_never_after_a_later_one(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var app = await AddAsync(storage, await AddPersonAsync(storage), lastStep: 100);

        var accepted = await AtOnceAsync(16, i => (i % 2 == 0 ? storage : other).Get<IAuthenticators>()
            .AcceptAsync(app.Id, 102, Samples.Now, Ct).AsTask());

        Assert.Single(accepted, isAccepted => isAccepted);
        Assert.False(await storage.Get<IAuthenticators>().AcceptAsync(app.Id, 101, Samples.Now, Ct));
        Assert.True(await other.Get<IAuthenticators>().AcceptAsync(app.Id, 103, Samples.Now.AddSeconds(30), Ct));
        var kept = Assert.Single(await storage.Get<IAuthenticators>().ListAsync(app.Subject, Ct));
        Assert.Equal(app with { LastStep = 103, LastUsedAt = Samples.Now.AddSeconds(30) }, kept);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Five_are_enough_however_many_are_added_at_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var subject = await AddPersonAsync(storage);

        var added = await AtOnceAsync(12, i => (i % 2 == 0 ? storage : other).Get<IAuthenticators>()
            .AddAsync(App(subject, lastStep: i), Samples.Audit("added"), mail: null, Ct).AsTask());

        Assert.Equal(IAuthenticators.Most, added.Count(isAdded => isAdded));
        Assert.Equal(IAuthenticators.Most, (await storage.Get<IAuthenticators>().ListAsync(subject, Ct)).Count);
        Assert.False(await storage.Get<IAuthenticators>().AddAsync(App("nobody", lastStep: 1), Samples.Audit(), mail: null, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_recovery_code_works_once_on_two_nodes(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var subject = await AddPersonAsync(storage);
        var codes = storage.Get<IRecoveryCodes>();
        await codes.ReplaceAsync(subject, [Code(subject, "A1"), Code(subject, "B2")], Samples.Audit("made"), mail: null, Ct);

        var used = await AtOnceAsync(16, i => (i % 2 == 0 ? storage : other).Get<IRecoveryCodes>()
            .UseAsync(subject, "A1", Samples.Now, Samples.Audit("used"), mail: null, Ct).AsTask());

        Assert.Single(used, isUsed => isUsed);
        Assert.Equal(1, (await storage.Get<IFactors>().FindAsync(subject, Ct)).RecoveryCodes);
        Assert.False(await codes.UseAsync(Handle.NewId(), "B2", Samples.Now, Samples.Audit(), mail: null, Ct));
        Assert.Equal(["used", "made"], (await AuditTypesAsync(storage)).Where(type => type is "used" or "made"));

        await codes.ReplaceAsync(subject, [Code(subject, "C3")], Samples.Audit(), mail: null, Ct);
        Assert.False(await codes.UseAsync(subject, "B2", Samples.Now, Samples.Audit(), mail: null, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Every_change_of_a_factor_ends_what_devices_were_spared(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var subject = await AddPersonAsync(storage);
        var devices = storage.Get<IDevices>();
        var device = Device(subject);

        await SpareAsync();
        var app = await AddAsync(storage, subject, lastStep: 1);
        await ExpectAskedAsync();
        await SpareAsync();
        await storage.Get<IRecoveryCodes>().ReplaceAsync(subject, [Code(subject, "A1")], Samples.Audit(), mail: null, Ct);
        await ExpectAskedAsync();
        await SpareAsync();
        Assert.Equal(AuthenticatorRemoval.NotFound, await RemoveAsync(await AddPersonAsync(storage), keepOneFactor: false));
        Assert.Equal(AuthenticatorRemoval.LastFactor, await RemoveAsync(subject, keepOneFactor: true));
        Assert.Equal(AuthenticatorRemoval.Removed, await RemoveAsync(subject, keepOneFactor: false));
        await ExpectAskedAsync();
        Assert.Equal(new OwnedFactors(false, false, 1), await storage.Get<IFactors>().FindAsync(subject, Ct));

        async Task<AuthenticatorRemoval> RemoveAsync(string whose, bool keepOneFactor) =>
            await storage.Get<IAuthenticators>().RemoveAsync(whose, app.Id, keepOneFactor, Samples.Audit(), mail: null, Ct);

        async Task SpareAsync() => await devices.SeenAsync(device with { RememberedUntil = Samples.Now.AddDays(30) }, Ct);

        async Task ExpectAskedAsync() =>
            Assert.Null((await devices.FindAsync(subject, device.BrowserHash, Samples.Now, Ct))!.RememberedUntil);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_authenticators_removed_at_once_on_two_nodes_one_stays_with_somebody_who_must_have_one(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var subject = await AddPersonAsync(storage);
        var apps = new List<Authenticator>();
        for (var i = 0; i < IAuthenticators.Most; i++)
        {
            apps.Add(await AddAsync(storage, subject, lastStep: i));
        }

        var removals = await AtOnceAsync(IAuthenticators.Most, i => (i % 2 == 0 ? storage : other).Get<IAuthenticators>()
            .RemoveAsync(subject, apps[i].Id, keepOneFactor: true, Samples.Audit("removed"), mail: null, Ct).AsTask());

        Assert.Single(removals, removal => removal == AuthenticatorRemoval.LastFactor);
        Assert.Single(await storage.Get<IAuthenticators>().ListAsync(subject, Ct));
        Assert.Equal(IAuthenticators.Most - 1, (await AuditTypesAsync(storage)).Count(type => type == "removed"));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_name_is_changed_by_its_owner_alone(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var apps = storage.Get<IAuthenticators>();
        var app = await AddAsync(storage, await AddPersonAsync(storage), lastStep: 1);

        Assert.False(await apps.RenameAsync(Handle.NewId(), app.Id, "mine", Samples.Audit(), Ct));
        Assert.True(await apps.RenameAsync(app.Subject, app.Id, "旧手机", Samples.Audit(), Ct));

        Assert.Equal("旧手机", Assert.Single(await apps.ListAsync(app.Subject, Ct)).Name);
    }

    internal static Device Device(string subject) => new()
    {
        Id = Handle.NewId(),
        Subject = subject,
        BrowserHash = Handle.Create().Hash,
        CreatedAt = Samples.Now,
        LastSeenAt = Samples.Now,
        ExpiresAt = Samples.Now.AddDays(400),
        Address = "192.0.2.1",
        UserAgent = "Mozilla/5.0",
    };

    internal static async Task<string> AddPersonAsync(TestStorage storage)
    {
        var user = new User("person" + Any(1_000_000)) { Email = $"p{Any(1_000_000)}@example.com" };
        var added = await storage.Get<IdentityServer.Storage.Users.Users>()
            .AddAsync(user, "Correct horse 9!", [], Samples.Audit("added"), Ct);
        Assert.True(added.Succeeded, added.ToString());
        return user.Id;
    }

    private static async Task<Authenticator> AddAsync(TestStorage storage, string subject, long lastStep)
    {
        var app = App(subject, lastStep);
        Assert.True(await storage.Get<IAuthenticators>().AddAsync(app, Samples.Audit("added"), mail: null, Ct));
        return app;
    }

    private static Authenticator App(string subject, long lastStep) => new()
    {
        Id = Handle.NewId(),
        Subject = subject,
        Name = "Phone",
        SealedSecret = "sealed",
        CreatedAt = Samples.Now,
        LastStep = lastStep,
    };

    private static RecoveryCode Code(string subject, string hash) =>
        new() { Id = Handle.NewId(), Subject = subject, Salt = "00", Hash = hash, CreatedAt = Samples.Now };
}
