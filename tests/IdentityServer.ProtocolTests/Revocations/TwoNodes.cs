using System.Collections.Frozen;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace IdentityServer.ProtocolTests.Revocations;

/// <summary>Two nodes of one server on one PostgreSQL, in this process: an app and a service that may end things, at either.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    private PostgresServer _postgres = null!;
    private string _database = null!;
    private string? _masterKey;
    private RelyingParty _admin = null!;

    public ServerFixture One { get; private set; } = null!;

    public ServerFixture Other { get; private set; } = null!;

    public IReadOnlyList<ServerFixture> Both => [One, Other];

    public RelyingParty App { get; private set; } = null!;

    public Person Alice { get; private set; } = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _postgres = await PostgresServer.StartAsync(durable: false, Ct);
        _database = await _postgres.CreateDatabaseAsync(Ct);
        One = await StartNodeAsync();
        Other = await StartNodeAsync();
        Other.Clock.SetUtcNow(One.Clock.GetUtcNow());
        App = await One.AddWebAppAsync("app", Ct, client => client with { RequireConsent = false });
        _admin = await One.AddClientAsync(
            new Client
            {
                Id = "admin",
                Type = ClientType.Service,
                Name = "Ends things",
                AuthMethod = ClientAuthMethods.Basic,
                GrantTypes = FrozenSet.Create(StringComparer.Ordinal, GrantTypes.ClientCredentials),
                Scopes = FrozenSet.Create(StringComparer.Ordinal, "admin:sessions"),
            },
            Ct);
        Alice = await One.AddPersonAsync("alice", Ct);
    }

    /// <summary>Starts a node that whoever asked for it ends.</summary>
    public Task<ServerFixture> StartNodeAsync() => ServerFixture.StartAsync(Ct, settings =>
    {
        settings["IdentityServer:Database:Provider"] = "PostgreSql";
        settings["IdentityServer:Database:ConnectionString"] = _database;
        settings["IdentityServer:MasterKey:Path"] = _masterKey ??= settings["IdentityServer:MasterKey:Path"];
        if (One is not null)
        {
            settings["IdentityServer:Issuer"] = One.Provider.Issuer;
        }
    });

    /// <summary>Ends a session by the admin API of a node.</summary>
    public async Task EndSessionAsync(string sessionId, ServerFixture node)
    {
        var token = (await _admin.ClientCredentialsAsync("admin:sessions", Ct)).AccessToken;
        using var request = new HttpRequestMessage(HttpMethod.Delete, new Uri(node.Address, $"/admin/api/v1/sessions/{sessionId}"))
        {
            Content = JsonContent.Create(new { reason = "a test" }),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await node.Http.SendAsync(request, Ct);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Ct));
    }

    /// <summary>What either did is in the memory of both.</summary>
    public async Task HearAsync()
    {
        foreach (var node in Both)
        {
            await node.Services.GetRequiredService<ChangeFeed>().PollAsync(Ct);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Other.DisposeAsync();
        await One.DisposeAsync();
        await _postgres.DisposeAsync();
    }
}
