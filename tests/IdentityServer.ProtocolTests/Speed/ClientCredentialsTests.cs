using IdentityServer.Protocol;
using IdentityServer.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IdentityServer.ProtocolTests.Speed;

/// <summary>A service that fetches tokens costs the database nothing.</summary>
public sealed class ClientCredentialsTests(CountedAppServer apps) : IClassFixture<CountedAppServer>
{
    private const int Requests = 200;

    [Fact]
    public async Task Client_credentials_asks_the_database_nothing()
    {
        var ct = TestContext.Current.CancellationToken;
        await apps.Service.ClientCredentialsAsync("api:read", ct);

        // Without the background work every command there is comes from our requests.
        foreach (var service in apps.Server.Services.GetServices<IHostedService>().OfType<BackgroundService>())
        {
            await service.StopAsync(ct);
        }

        var before = apps.Commands.Count;
        await FetchAsync(ct);
        var after = apps.Commands.Count;

        // The counter does count: introspection looks up a token that nobody knows.
        await apps.App.IntrospectAsync(Handle.Create().Text, ct);
        Assert.True(apps.Commands.Count > after);
        Assert.Equal(before, after);

        // And nothing went past the counter: it works without a database at all.
        await apps.DropDatabaseAsync(ct);
        await FetchAsync(ct);
    }

    private async Task FetchAsync(CancellationToken ct)
    {
        for (var request = 0; request < Requests; request++)
        {
            Check.Tokens(await apps.Service.ClientCredentialsAsync("api:read", ct));
        }
    }
}
