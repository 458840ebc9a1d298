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
    public async Task Only_the_hash_that_was_checked_is_bettered(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var credentials = storage.Get<ICredentials>();
        var alice = await AddAsync(storage, "alice", "alice@example.com");
        var seen = (await credentials.FindAsync("alice", Ct))!.User;

        await credentials.ReplaceHashAsync(seen, "better", Ct);
        await credentials.ReplaceHashAsync(seen, "of a password that changed meanwhile", Ct);

        Assert.Equal("better", (await credentials.FindBySubjectAsync(alice.Id, Ct))!.User.PasswordHash);
        foreach (var subject in new[] { "", "nobody", alice.Id + " ", Turned(alice.Id), new string('x', 100_000) })
        {
            Assert.Null(await credentials.FindBySubjectAsync(subject, Ct));
        }
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

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Names_are_told_of_those_who_are_there(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var names = storage.Get<INames>();
        var alice = await AddAsync(storage, "alice", "alice@example.com");
        var bob = await AddAsync(storage, "bob", "bob@example.com");
        await AddAsync(storage, "carol", "carol@example.com");

        var found = await names.FindAsync([alice.Id, bob.Id, alice.Id, Turned(alice.Id), "nobody", "", new string('x', 100_000)], Ct);

        Assert.Equal([(alice.Id, "alice"), (bob.Id, "bob")], found.Select(entry => (entry.Key, entry.Value.UserName)).OrderBy(entry => entry.Item2));
        Assert.All(found.Values, name => Assert.Null(name.FullName));
        Assert.Empty(await names.FindAsync([], Ct));
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
