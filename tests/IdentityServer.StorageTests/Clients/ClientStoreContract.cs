using IdentityServer.Protocol;
using IdentityServer.Protocol.Audit;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Consents;
using IdentityServer.Protocol.Grants;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Storage;
using IdentityServer.Storage.Clients;

namespace IdentityServer.StorageTests.Clients;

public sealed class ClientStoreContract : Contract
{
    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_client_comes_back_as_it_was_added(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();
        var client = Full("web");

        Assert.True(await clients.AddAsync(client, Samples.Audit(), Ct));

        var found = await clients.FindAsync("web", Ct);
        Assert.Equivalent(client, found, strict: true);
        Assert.Equal(client.RedirectUris, found!.RedirectUris);
        Assert.True(found.GrantTypes.SetEquals(client.GrantTypes));
        Assert.Equivalent(client.Secrets, found.Secrets, strict: true);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Every_change_is_announced_and_audited(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();

        await clients.AddAsync(Full("web"), Samples.Audit("one"), Ct);
        await clients.UpdateAsync(Full("web"), Samples.Audit("two"), Ct);
        Assert.True(await RemoveAsync(storage, "web", Samples.Audit("three")));

        var changes = await storage.Get<IChangeLog>().ReadAsync(0, Ct);
        Assert.Equal(
            ["web", "web", "web"], changes.Where(change => change.Kind == ChangeKind.Client).Select(change => change.Key));

        // And with the client goes all it was given.
        Assert.Equal(
            (RevocationKind.Client, "web"),
            Assert.Single(changes.Where(change => change.Kind == ChangeKind.Revocation).Select(change => RevocationList.Parse(change.Key)))
                is var cutoff ? (cutoff.Kind, cutoff.Key) : default);
        Assert.Equal(["ended", "three", "two", "one"], await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_taken_id_is_refused_and_leaves_nothing(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();
        await clients.AddAsync(Full("web"), Samples.Audit("first"), Ct);

        Assert.False(await clients.AddAsync(Full("web") with { Name = "Another" }, Samples.Audit("second"), Ct));

        Assert.Equal("Shop", (await clients.FindAsync("web", Ct))!.Name);
        Assert.Equal(["first"], await AuditTypesAsync(storage));
        Assert.Single(await storage.Get<IChangeLog>().ReadAsync(0, Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Ids_that_differ_in_case_are_two_clients(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();

        Assert.True(await clients.AddAsync(Full("web"), Samples.Audit(), Ct));
        Assert.Null(await clients.FindAsync("WEB", Ct));
        Assert.True(await clients.AddAsync(Full("WEB"), Samples.Audit(), Ct));

        Assert.Equal(["WEB", "web"], (await clients.ListAsync(Ct)).Select(client => client.Id));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task An_id_that_cannot_be_is_not_found(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();
        await clients.AddAsync(Full("web"), Samples.Audit(), Ct);

        foreach (var id in new[] { "", "web ", " web", "web\0", "ｗｅｂ", "w\u200beb", "web\ud800", new string('x', 1_000_000) })
        {
            Assert.Null(await clients.FindAsync(id, Ct));
            Assert.False(await RemoveAsync(storage, id));
        }

        await Assert.ThrowsAsync<ArgumentException>(() => clients.AddAsync(Full("w eb"), Samples.Audit(), Ct).AsTask());
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task A_change_made_on_an_older_version_is_refused(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();
        await clients.AddAsync(Full("web"), Samples.Audit(), Ct);
        var read = (await clients.FindAsync("web", Ct))!;

        Assert.True(await clients.UpdateAsync(read with { Name = "First", DisabledAt = Samples.Now }, Samples.Audit(), Ct));
        Assert.False(await clients.UpdateAsync(read with { Name = "Second" }, Samples.Audit("refused"), Ct));
        Assert.False(await clients.UpdateAsync(Full("gone"), Samples.Audit("refused"), Ct));

        var found = (await clients.FindAsync("web", Ct))!;
        Assert.Equal(("First", Samples.Now), (found.Name, found.DisabledAt));
        Assert.Equal(read.CreatedAt, found.CreatedAt);
        Assert.NotEqual(read.Version, found.Version);
        Assert.DoesNotContain("refused", await AuditTypesAsync(storage));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Of_many_changes_at_once_on_one_version_one_is_saved(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        await using var other = storage.AnotherNode();
        await storage.Get<IClientStore>().AddAsync(Full("web"), Samples.Audit(), Ct);
        var read = (await storage.Get<IClientStore>().FindAsync("web", Ct))!;

        var saved = await AtOnceAsync(16, i => (i % 2 == 0 ? storage : other).Get<IClientStore>()
            .UpdateAsync(read with { Name = $"Name {i}" }, Samples.Audit(), Ct).AsTask());

        Assert.Single(saved, done => done);
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Removing_a_client_ends_its_grants_and_tokens(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();
        var grants = storage.Get<IGrantStore>();
        await clients.AddAsync(Full("web"), Samples.Audit(), Ct);
        var token = await RefreshTokenAsync(storage, offline: true);
        var stranger = await RefreshTokenAsync(storage, Samples.Grant(await SignInAsync(storage), clientId: "WEB"));
        var own = Samples.Token(null, TokenKind.Reference, clientId: "web");
        await grants.AddTokenAsync(own, Samples.Audit(), Ct);
        await storage.Get<IConsentStore>().SaveAsync(
            new Consent(token.Grant!.Subject, "web", ["openid"], Samples.Now), Samples.Audit(), Ct);

        Assert.True(await RemoveAsync(storage, "web"));
        Assert.False(await RemoveAsync(storage, "web"));

        Assert.NotNull((await grants.FindTokenAsync(TokenKind.Refresh, token.Hash, Ct))!.Grant!.EndedAt);
        Assert.NotNull((await grants.FindTokenAsync(TokenKind.Reference, own.Hash, Ct))!.EndedAt);
        Assert.Null((await grants.FindTokenAsync(TokenKind.Refresh, stranger.Hash, Ct))!.Grant!.EndedAt);
        Assert.Null(await storage.Get<IConsentStore>().FindAsync(token.Grant.Subject, "web", Ct));
        Assert.False(await grants.SpendAsync(token, [], null, Samples.Now, Samples.Audit(), Ct));
    }

    [Theory, MemberData(nameof(Databases.All), MemberType = typeof(Databases))]
    public async Task Disabling_a_client_ends_what_it_has_once_and_keeps_what_people_allowed(DatabaseProvider provider)
    {
        await using var storage = await TestStorage.OpenAsync(provider, Ct);
        var clients = storage.Get<IClientStore>();
        await clients.AddAsync(Full("web"), Samples.Audit(), Ct);
        var read = (await clients.FindAsync("web", Ct))!;
        var token = await RefreshTokenAsync(storage, offline: true);
        await storage.Get<IConsentStore>().SaveAsync(
            new Consent(token.Grant!.Subject, "web", ["openid"], Samples.Now), Samples.Audit(), Ct);

        Assert.NotNull(await DisableAsync(storage, "web"));
        Assert.Null(await DisableAsync(storage, "web"));
        Assert.Null(await DisableAsync(storage, "nobody"));

        var disabled = (await clients.FindAsync("web", Ct))!;
        Assert.Equal(Samples.Now, disabled.DisabledAt);
        Assert.False(await clients.UpdateAsync(read with { Name = "As it was" }, Samples.Audit(), Ct));
        Assert.NotNull((await storage.Get<IGrantStore>().FindTokenAsync(TokenKind.Refresh, token.Hash, Ct))!.Grant!.EndedAt);
        Assert.NotNull(await storage.Get<IConsentStore>().FindAsync(token.Grant.Subject, "web", Ct));
        Assert.Single(await storage.RevocationsAsync(Samples.Now, Ct));
    }

    private static async Task<bool> RemoveAsync(TestStorage storage, string id, AuditEvent? audit = null) =>
        await storage.Get<IRevocationStore>().EndClientAsync(
            Samples.Revocation(RevocationKind.Client, id), new ClientRemoved { Audit = audit ?? Samples.Audit() }, Samples.Ending("ended"), Ct) is not null;

    private static ValueTask<Revocation?> DisableAsync(TestStorage storage, string id) => storage.Get<IRevocationStore>().EndClientAsync(
        Samples.Revocation(RevocationKind.Client, id), new ClientDisabled { Audit = Samples.Audit() }, Samples.Ending(), Ct);

    private static Client Full(string id) => new()
    {
        Id = id,
        Type = ClientType.Web,
        Name = "Shop",
        AuthMethod = ClientAuthMethods.Basic,
        Secrets =
        [
            new("a", Handle.HashOf("one"), Samples.Now, null),
            new("b", Handle.HashOf("two"), Samples.Now, Samples.Now.AddDays(30)),
        ],
        Jwks = """{"keys":[]}""",
        GrantTypes = [GrantTypes.AuthorizationCode, GrantTypes.RefreshToken],
        Scopes = ["openid", "orders:read"],
        RedirectUris = ["https://shop.example/signin?a=b&c='d'", "https://shop.example/zwei"],
        PostLogoutRedirectUris = ["https://shop.example/"],
        AllowedOrigins = ["https://shop.example"],
        TokenFormat = TokenFormat.Reference,
        AccessTokenLifetime = TimeSpan.FromMinutes(7),
        RefreshIdleLifetime = TimeSpan.FromDays(3),
        RefreshAbsoluteLifetime = TimeSpan.FromDays(400),
        RequireConsent = false,
        IdTokenSigningAlgorithm = "ES256",
        UserInfoSigningAlgorithm = "RS256",
        ClientUri = "https://shop.example/about",
        LogoUri = "https://shop.example/logo.svg",
        PolicyUri = "https://shop.example/privacy",
        TosUri = "https://shop.example/terms",
        CreatedAt = Samples.Now,
    };
}
