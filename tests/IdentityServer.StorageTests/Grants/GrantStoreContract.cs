using IdentityServer.Protocol;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Sessions;
using IdentityServer.Storage;

namespace IdentityServer.StorageTests.Grants;

public sealed class GrantStoreContract
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_code_is_found_with_its_grant_and_spent_once(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var session = Samples.Session();
        await storage.Get<ISessionStore>().OpenAsync(session, Handle.Create().Hash, Samples.Audit(), Ct);
        var grants = storage.Get<IGrantStore>();
        var grant = Samples.Grant(session);
        var code = Samples.Token(grant, TokenKind.Code);

        Assert.True(await grants.OpenAsync(grant, code, Samples.Audit(), Ct));

        var found = await grants.FindTokenAsync(TokenKind.Code, code.Hash, Ct);
        Assert.Equivalent(code, found, strict: true);
        Assert.True(await grants.SpendAsync(found!, [Samples.Token(grant)], null, Samples.Now, Samples.Audit(), Ct));
        Assert.False(await grants.SpendAsync(found!, [Samples.Token(grant)], null, Samples.Now, Samples.Audit(), Ct));
    }
}
