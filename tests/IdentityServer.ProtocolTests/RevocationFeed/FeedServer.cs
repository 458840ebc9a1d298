using System.Collections.Frozen;
using System.Net.Http.Headers;
using IdentityServer.Jobs;
using IdentityServer.Protocol.Changes;
using IdentityServer.Protocol.Clients;
using IdentityServer.Protocol.Revocations;
using IdentityServer.Protocol.Scopes;
using IdentityServer.Storage;
using IdentityServer.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IdentityServer.ProtocolTests.RevocationFeed;

/// <summary>A server that reads its change log only when a test says so, with an API that follows the feed and an app that has its tokens.</summary>
public sealed class FeedServer : IAsyncLifetime
{
    public const string Audience = "orders-api";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public ServerFixture Server { get; private set; } = null!;

    /// <summary>The API's own client: it may follow the feed and introspect.</summary>
    public RelyingParty Api { get; private set; } = null!;

    /// <summary>A service that calls the API.</summary>
    public RelyingParty Service { get; private set; } = null!;

    /// <summary>The same with reference tokens.</summary>
    public RelyingParty ReferenceService { get; private set; } = null!;

    /// <summary>An app of people; it was given the scope of the feed by mistake.</summary>
    public RelyingParty App { get; private set; } = null!;

    public Person Alice { get; private set; } = null!;

    public Person Bob { get; private set; } = null!;

    public ChangeFeed Changes => Server.Services.GetRequiredService<ChangeFeed>();

    public Revoker Revoker => Server.Services.GetRequiredService<Revoker>();

    public Uri Feed => new(Server.Address, "/connect/revocations");

    public async ValueTask InitializeAsync()
    {
        Server = await ServerFixture.StartAsync(Ct);
        await Server.Services.GetServices<IHostedService>().OfType<ChangeFeedService>().Single().StopAsync(Ct);
        await Server.AddApiAsync(Audience, Ct, "orders.read");
        Api = await AddServiceAsync(Audience, AdminScopes.Revocations);
        Service = await AddServiceAsync("service", "orders.read");
        ReferenceService = await AddServiceAsync("reference-service", "orders.read", TokenFormat.Reference);
        App = await Server.AddWebAppAsync("app", Ct, client => client with
        {
            RequireConsent = false,
            Scopes = FrozenSet.Create(StringComparer.Ordinal, "openid", "offline_access", "orders.read", AdminScopes.Revocations),
        });
        Alice = await Server.AddPersonAsync("alice", Ct);
        Bob = await Server.AddPersonAsync("bob", Ct);
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    public ValueTask PollAsync() => Changes.PollAsync(Ct);

    public Task<RelyingParty> AddServiceAsync(string id, string scope, TokenFormat format = TokenFormat.Jwt) => Server.AddClientAsync(
        new Client
        {
            Id = id,
            Type = ClientType.Service,
            Name = $"The service {id}",
            AuthMethod = ClientAuthMethods.Basic,
            GrantTypes = FrozenSet.Create(StringComparer.Ordinal, GrantTypes.ClientCredentials),
            Scopes = FrozenSet.Create(StringComparer.Ordinal, scope),
            TokenFormat = format,
        },
        Ct);

    public async Task<string> FeedTokenAsync(RelyingParty? client = null) =>
        (await (client ?? Api).ClientCredentialsAsync(AdminScopes.Revocations, Ct)).AccessToken!;

    /// <summary>Asks for the feed, or another address, and leaves the body unread.</summary>
    public async Task<HttpResponseMessage> AskAsync(string? token, string? lastEventId = null, string path = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Feed + path);
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return await Server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ct);
    }

    /// <summary>Opens the stream.</summary>
    public async Task<FeedReader> FollowAsync(string? lastEventId = null, string? token = null) =>
        await FeedReader.OpenAsync(await AskAsync(token ?? await FeedTokenAsync(), lastEventId), Ct);

    /// <summary>Rows of the change log as any node could have written them, with the numbers given.</summary>
    public async Task WriteAsync(IEnumerable<(long Sequence, string Key)> rows)
    {
        var now = Server.Clock.GetUtcNow();
        await using var db = await Server.Services.GetRequiredService<IDbContextFactory<ServerDb>>().CreateDbContextAsync(Ct);
        db.Changes.AddRange(rows.Select(row => new Change(
            row.Sequence,
            ChangeKind.Revocation,
            RevocationList.Format(new Revocation(RevocationKind.Token, row.Key, now, now.AddHours(13))),
            now)));
        await db.SaveChangesAsync(Ct);
    }

    public ValueTask<long> LatestAsync() => Server.Services.GetRequiredService<IChangeLog>().LatestAsync(Ct);

    public async ValueTask EndTokenAsync(string id) =>
        await Revoker.EndTokenAsync(new Presented(id), null, new Cause("test", "test", null), Ct);
}
