using IdentityServer.Storage;
using IdentityServer.Storage.Users;

namespace IdentityServer.StorageTests.Users;

public sealed class CredentialsContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_person_is_known_by_name_or_by_an_address_only_they_have(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var credentials = storage.Get<ICredentials>();
        var alice = await AddAsync(storage, "alice", "alice@example.com", Roles.Admin);
        await AddAsync(storage, "bob", "shared@example.com");
        await AddAsync(storage, "carol", "shared@example.com");

        foreach (var typed in new[] { "alice", "ALICE", "Alice@Example.com" })
        {
            var found = await credentials.FindAsync(typed, Ct);
            Assert.Equal((alice.Id, true), (found!.User.Id, found.IsAdmin));
        }

        Assert.False((await credentials.FindAsync("bob", Ct))!.IsAdmin);
        foreach (var typed in new[] { "shared@example.com", "nobody", "", "alice ", "ａlice", "alice\0", new string('x', 100_000) })
        {
            Assert.Null(await credentials.FindAsync(typed, Ct));
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Guesses_made_at_once_on_two_nodes_are_each_counted(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        var alice = await AddAsync(storage, "alice", "alice@example.com");

        await AtOnceAsync(16, async i =>
        {
            await (i % 2 == 0 ? storage : other).Get<ICredentials>().RecordFailureAsync(
                alice.Id,
                Samples.Now,
                count => count >= 16 ? TimeSpan.FromMinutes(1) : null,
                Samples.Audit("failed"),
                Ct);
            return i;
        });

        var found = (await storage.Get<ICredentials>().FindAsync("alice", Ct))!;
        Assert.Equal((16, Samples.Now.AddMinutes(1)), (found.User.AccessFailedCount, found.User.LockoutEnd));
        Assert.Equal(16, (await AuditTypesAsync(storage)).Count(type => type == "failed"));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_right_password_ends_the_count_and_betters_only_the_hash_that_was_checked(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var credentials = storage.Get<ICredentials>();
        var alice = await AddAsync(storage, "alice", "alice@example.com");
        await credentials.RecordFailureAsync(alice.Id, Samples.Now, _ => TimeSpan.FromMinutes(1), Samples.Audit(), Ct);
        var seen = (await credentials.FindAsync("alice", Ct))!;

        await credentials.RecordSuccessAsync(seen, "better", Ct);
        await credentials.RecordSuccessAsync(seen, "of a password that changed meanwhile", Ct);

        var found = (await credentials.FindAsync("alice", Ct))!.User;
        Assert.Equal((0, null, "better"), (found.AccessFailedCount, found.LockoutEnd, found.PasswordHash));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Roles_are_told_of_people_who_may_use_them(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var memberships = storage.Get<IMemberships>();
        var alice = await AddAsync(storage, "alice", "alice@example.com", Roles.Operator, Roles.Auditor);
        var bob = await AddAsync(storage, "bob", "bob@example.com");

        Assert.Equal([Roles.Auditor, Roles.Operator], (await memberships.RolesOfAsync(alice.Id, Ct)).Order());
        foreach (var subject in new[] { bob.Id, "nobody", "", alice.Id + "\0", new string('x', 100_000) })
        {
            Assert.Empty(await memberships.RolesOfAsync(subject, Ct));
        }
    }

    private static async Task<User> AddAsync(TestStorage storage, string name, string email, params string[] roles)
    {
        var user = new User(name) { Email = email };
        var result = await storage.Get<IdentityServer.Storage.Users.Users>()
            .AddAsync(user, "Correct horse 9!", roles, Samples.Audit("added"), Ct);
        Assert.True(result.Succeeded, result.ToString());
        return user;
    }
}
