using IdentityServer.Storage;
using IdentityServer.Storage.Throttling;

namespace IdentityServer.StorageTests.Throttling;

/// <summary>What <see cref="IAttempts"/> promises.</summary>
public sealed class AttemptsContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Each_count_is_taken_by_one_of_many_on_two_nodes(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        Attempts? seen = null;
        for (var count = 1; count <= 4; count++)
        {
            var next = Next("key", count);
            var before = seen;
            var taken = await AtOnceAsync(8, i => (i % 2 == 0 ? storage : other).Get<IAttempts>()
                .TryReplaceAsync(before, next, Samples.Now, Ct).AsTask());
            Assert.Single(taken, isTaken => isTaken);
            seen = Assert.Single(await storage.Get<IAttempts>().ListAsync(["key", "other"], Samples.Now, Ct));
            Assert.Equal(next, seen);
        }
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_count_past_its_end_is_none(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var attempts = storage.Get<IAttempts>();
        var old = Next("key", 7);
        Assert.True(await attempts.TryReplaceAsync(null, old, Samples.Now, Ct));
        Assert.Empty(await attempts.ListAsync(["key"], old.ExpiresAt, Ct));
        Assert.False(await attempts.TryReplaceAsync(null, Next("key", 1), Samples.Now, Ct));

        Assert.True(await attempts.TryReplaceAsync(
            null, Next("key", 1) with { ExpiresAt = old.ExpiresAt.AddHours(1) }, old.ExpiresAt, Ct));

        Assert.Equal(1, Assert.Single(await attempts.ListAsync(["key"], old.ExpiresAt, Ct)).Count);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task What_succeeded_is_taken_back_or_forgotten(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var attempts = storage.Get<IAttempts>();
        await attempts.TryReplaceAsync(null, Next("a", 2), Samples.Now, Ct);
        await attempts.TryReplaceAsync(null, Next("b", 2), Samples.Now, Ct);

        await attempts.ReturnAsync("a", Ct);
        await attempts.ForgetAsync(["b", "unknown"], Ct);
        await attempts.ReturnAsync("unknown", Ct);

        Assert.Equal(Next("a", 1) with { BlockedUntil = Next("a", 2).BlockedUntil }, Assert.Single(await attempts.ListAsync(["a", "b"], Samples.Now, Ct)));
    }

    private static Attempts Next(string key, int count) => new()
    {
        Key = key,
        Count = count,
        BlockedUntil = count > 1 ? Samples.Now.AddMinutes(count) : null,
        ExpiresAt = Samples.Now.AddHours(1),
    };
}
