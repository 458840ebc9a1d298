using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Subjects;
using IdentityServer.Storage;
using IdentityServer.Storage.Users;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.StorageTests.Users;

public sealed class UsersContract : Contract
{
    private const string Password = "Correct horse 9!";

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_person_is_added_with_roles_and_the_event_in_one_go(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var users = storage.Get<IdentityServer.Storage.Users.Users>();
        var alice = new User("alice") { Email = "alice@example.com" };

        var result = await users.AddAsync(alice, Password, [Roles.Admin, Roles.Auditor], Samples.Audit("added"), Ct);

        Assert.True(result.Succeeded, result.ToString());
        var listed = Assert.Single(await users.ListAsync(Ct));
        Assert.Equal(("alice", alice.Id), (listed.User.UserName, listed.User.Id));
        Assert.Equal([Roles.Admin, Roles.Auditor], listed.Roles);
        Assert.False(await storage.Get<ISetupLinks>().AreNeededAsync(Ct));
        var audit = Assert.Single(await storage.Get<IAuditLog>().LatestAsync(10, Ct));
        Assert.Equal(("added", alice.Id), (audit.Type, audit.Subject));

        var manager = storage.Get<UserManager<User>>();
        var found = (await manager.FindByNameAsync("ALICE"))!;
        Assert.True(await manager.CheckPasswordAsync(found, Password));
        Assert.True(await manager.IsInRoleAsync(found, Roles.Admin));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_refused_person_leaves_nothing(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var users = storage.Get<IdentityServer.Storage.Users.Users>();
        await users.AddAsync(new User("alice"), Password, [], Samples.Audit("added"), Ct);

        var taken = await users.AddAsync(new User("Alice"), Password, [Roles.Admin], Samples.Audit("refused"), Ct);
        var weak = await users.AddAsync(new User("bob"), "x", [Roles.Admin], Samples.Audit("refused"), Ct);

        Assert.Equal("DuplicateUserName", Assert.Single(taken.Errors).Code);
        Assert.False(weak.Succeeded);
        await users.AddAsync(new User("carol"), null, [Roles.Support], Samples.Audit("added"), Ct);
        Assert.Equal(["alice", "carol"], (await users.ListAsync(Ct)).Select(entry => entry.User.UserName));
        Assert.True(await storage.Get<ISetupLinks>().AreNeededAsync(Ct));
        Assert.Equal(["added", "added"], await AuditTypesAsync(storage));
        await Assert.ThrowsAsync<ArgumentException>(
            () => users.AddAsync(new User("dave"), null, ["root"], Samples.Audit(), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task One_name_added_at_once_on_two_nodes_is_one_person(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();

        var added = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<IdentityServer.Storage.Users.Users>()
            .AddAsync(new User("alice"), Password, [Roles.Admin], Samples.Audit("added"), Ct));

        Assert.Single(added, result => result.Succeeded);
        Assert.Equal(1, await CountAsync<User>(storage));
        Assert.Equal(4, await CountAsync<Role>(storage));
        Assert.Equal(["added"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Different_people_added_at_once_seed_the_roles_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();

        var added = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<IdentityServer.Storage.Users.Users>()
            .AddAsync(new User($"user{i}"), Password, [Roles.Operator], Samples.Audit(), Ct));

        Assert.All(added, result => Assert.True(result.Succeeded, result.ToString()));
        Assert.Equal(4, await CountAsync<Role>(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task The_claims_of_a_person_are_the_columns_and_the_json(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var alice = new User("alice")
        {
            Name = "Alice Müller 穆勒",
            GivenName = "Alice",
            FamilyName = "Müller",
            Locale = "de-CH",
            Email = "alice@example.com",
            EmailConfirmed = true,
            PhoneNumber = "+41 44 000 00 00",
            MoreClaims = """
                {"sub":"forged","name":"forged","zoneinfo":"Europe/Zurich","birthdate":"1990-01-02","nickname":null,"address":{"locality":"Zürich"}}
                """,
        };
        await storage.Get<IdentityServer.Storage.Users.Users>().AddAsync(alice, null, [], Samples.Audit(), Ct);

        var found = (await storage.Get<ISubjects>().FindAsync(alice.Id, Ct))!;

        Assert.Equal(alice.Id, found.Subject);
        Assert.Equal(
            ["address", "birthdate", "email", "email_verified", "family_name", "given_name", "locale", "name", "phone_number",
                "phone_number_verified", "preferred_username", "updated_at", "zoneinfo"],
            found.Claims.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("Alice Müller 穆勒", found.Claims["name"].GetValue<string>());
        Assert.True(found.Claims["email_verified"].GetValue<bool>());
        Assert.False(found.Claims["phone_number_verified"].GetValue<bool>());
        Assert.Equal("Zürich", found.Claims["address"]["locality"]!.GetValue<string>());
        Assert.Equal(alice.UpdatedAt.ToUnixTimeSeconds(), found.Claims["updated_at"].GetValue<long>());
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Nobody_is_found_by_a_wrong_sub_or_when_disabled(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var subjects = storage.Get<ISubjects>();
        var alice = new User("alice");
        await storage.Get<IdentityServer.Storage.Users.Users>().AddAsync(alice, null, [], Samples.Audit(), Ct);
        Assert.NotNull(await subjects.FindAsync(alice.Id, Ct));
        Assert.Null(await subjects.FindAsync(Turned(alice.Id), Ct));
        Assert.Null(await subjects.FindAsync("nobody", Ct));
        Assert.Null(await subjects.FindAsync(new string('x', 100_000), Ct));

        await using (var db = await storage.Get<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct))
        {
            DateTimeOffset? at = Samples.Now;
            await db.Users.ExecuteUpdateAsync(set => set.SetProperty(user => user.DisabledAt, at), Ct);
        }

        Assert.Null(await subjects.FindAsync(alice.Id, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Lockout_is_kept_by_identitys_own_store(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var manager = storage.Get<UserManager<User>>();
        var alice = new User("alice") { CreatedAt = Samples.Now, UpdatedAt = Samples.Now };
        Assert.True((await manager.CreateAsync(alice, Password)).Succeeded);
        await manager.SetLockoutEndDateAsync(alice, Samples.Now.AddYears(200));

        await using var other = storage.AnotherNode();
        var found = (await other.Get<UserManager<User>>().FindByNameAsync("alice"))!;
        Assert.Equal((alice.Id, Samples.Now.AddYears(200)), (found.Id, found.LockoutEnd));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_setup_link_makes_one_admin(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var links = storage.Get<ISetupLinks>();
        var hash = Handle.Create().Hash;
        var now = TimeProvider.System.GetUtcNow();
        await links.CreateAsync(hash, now, now.AddMinutes(30), Samples.Audit("link"), Ct);
        Assert.True(await links.IsOpenAsync(hash, now, Ct));
        Assert.False(await links.IsOpenAsync(hash, now.AddMinutes(30), Ct));
        Assert.False(await links.IsOpenAsync(Handle.Create().Hash, now, Ct));

        var weak = await storage.Get<IdentityServer.Storage.Users.Users>()
            .AddFirstAdminAsync(new User("weak"), "x", hash, Samples.Audit("refused"), Ct);
        Assert.False(weak.Succeeded);
        Assert.True(await links.IsOpenAsync(hash, now, Ct));

        var added = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<IdentityServer.Storage.Users.Users>()
            .AddFirstAdminAsync(new User($"admin{i}"), Password, hash, Samples.Audit("admin"), Ct));

        Assert.Single(added, result => result.Succeeded);
        Assert.Equal("SetupLinkClosed", Assert.Single(added.Single(result => !result.Succeeded).Errors).Code);
        Assert.False(await links.IsOpenAsync(hash, now, Ct));
        Assert.Equal(["admin", "link"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_two_setup_links_one_makes_an_admin_and_closes_both(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var links = storage.Get<ISetupLinks>();
        var now = TimeProvider.System.GetUtcNow();
        string[] hashes = [Handle.Create().Hash, Handle.Create().Hash];
        foreach (var hash in hashes)
        {
            await links.CreateAsync(hash, now, now.AddMinutes(30), Samples.Audit("link"), Ct);
        }

        Assert.True(await links.AreNeededAsync(Ct));
        Assert.True(await links.IsOpenAsync(hashes[0], now, Ct));

        var added = await AtOnceAsync(2, i => (i == 0 ? storage : other).Get<IdentityServer.Storage.Users.Users>()
            .AddFirstAdminAsync(new User($"admin{i}"), Password, hashes[i], Samples.Audit("admin"), Ct));

        Assert.Single(added, result => result.Succeeded);
        Assert.False(await links.AreNeededAsync(Ct));
        Assert.False(await links.IsOpenAsync(hashes[0], now, Ct));
        Assert.False(await links.IsOpenAsync(hashes[1], now, Ct));

        var late = Handle.Create().Hash;
        await links.CreateAsync(late, now, now.AddMinutes(30), Samples.Audit("link"), Ct);
        Assert.False(await links.IsOpenAsync(late, now, Ct));
    }
}
