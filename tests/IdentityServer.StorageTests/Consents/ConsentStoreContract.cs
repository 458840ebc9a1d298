using IdentityServer.Protocol.Consents;
using IdentityServer.Storage;

namespace IdentityServer.StorageTests.Consents;

public sealed class ConsentStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task There_is_one_consent_for_a_person_and_a_client(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var consents = storage.Get<IConsentStore>();
        var first = new Consent("alice", "web", ["openid"], Samples.Now);
        var second = new Consent("alice", "web", ["openid", "profile"], Samples.Now.AddDays(1));

        await consents.SaveAsync(first, Samples.Audit("first"), Ct);
        Assert.Equivalent(first, await consents.FindAsync("alice", "web", Ct), strict: true);
        await consents.SaveAsync(second, Samples.Audit("second"), Ct);

        Assert.Equivalent(second, await consents.FindAsync("alice", "web", Ct), strict: true);
        Assert.Null(await consents.FindAsync("Alice", "web", Ct));
        Assert.Null(await consents.FindAsync("alice", "spa", Ct));
        Assert.Equal(["second", "first"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Answers_given_at_once_all_succeed(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();

        await AtOnceAsync(16, async i =>
        {
            var consent = new Consent("alice", "web", [$"scope{i}"], Samples.Now);
            await (i % 2 == 0 ? storage : other).Get<IConsentStore>().SaveAsync(consent, Samples.Audit(), Ct);
            return i;
        });

        Assert.Equal(1, await CountAsync<Consent>(storage));
        Assert.Equal(16, (await AuditTypesAsync(storage)).Count);
    }
}
