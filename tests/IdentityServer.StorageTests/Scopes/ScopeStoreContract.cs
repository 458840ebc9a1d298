using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Storage;

namespace IdentityServer.StorageTests.Scopes;

public sealed class ScopeStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Scopes_and_apis_come_back_as_they_were_added(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var scopes = storage.Get<IScopeStore>();
        var scope = new Scope("orders:write")
        {
            DisplayName = "Bestellungen ändern 订单",
            Description = "Change orders",
            Claims = ["name", "email"],
            ChangesData = true,
        };
        var api = new ApiResource("https://api.example")
        {
            DisplayName = "Orders",
            Scopes = ["orders:read", "orders:write"],
            IntrospectionClients = ["gateway"],
        };

        Assert.True(await scopes.AddScopeAsync(scope, Samples.Audit("scope"), Ct));
        Assert.True(await scopes.AddApiAsync(api, Samples.Audit("api"), Ct));

        var (foundScopes, foundApis) = (await scopes.ListScopesAsync(Ct), await scopes.ListApisAsync(Ct));
        Assert.Equivalent(new[] { scope }, foundScopes, strict: true);
        Assert.Equivalent(new[] { api }, foundApis, strict: true);
        Assert.Equal(
            [(ChangeKind.Scope, scope.Name), (ChangeKind.Scope, api.Name)],
            (await storage.Get<IChangeLog>().ReadAsync(0, Ct)).Select(change => (change.Kind, change.Key)));
        Assert.Equal(["api", "scope"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_taken_name_is_refused_and_case_makes_another_name(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var scopes = storage.Get<IScopeStore>();

        Assert.True(await scopes.AddScopeAsync(new("orders"), Samples.Audit("first"), Ct));
        Assert.False(await scopes.AddScopeAsync(new("orders"), Samples.Audit("refused"), Ct));
        Assert.True(await scopes.AddScopeAsync(new("Orders"), Samples.Audit("second"), Ct));
        Assert.True(await scopes.AddApiAsync(new("orders"), Samples.Audit("third"), Ct));
        Assert.False(await scopes.AddApiAsync(new("orders"), Samples.Audit("refused"), Ct));

        Assert.Equal(["Orders", "orders"], (await scopes.ListScopesAsync(Ct)).Select(scope => scope.Name));
        Assert.Equal(["third", "second", "first"], await AuditTypesAsync(storage));
    }
}
