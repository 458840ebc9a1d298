using IdentityServer.StorageTests;
using IdentityServer.Testing;

[assembly: AssemblyFixture(typeof(TestPostgres))]

namespace IdentityServer.StorageTests;

/// <summary>The one PostgreSQL server of this test run: started when first needed, stopped at the end.</summary>
public sealed class TestPostgres : IAsyncDisposable
{
    private static readonly Lazy<Task<PostgresServer>> Server =
        new(() => PostgresServer.StartAsync(durable: false, CancellationToken.None));

    public static Task<PostgresServer> ServerAsync() => Server.Value;

    public async ValueTask DisposeAsync()
    {
        if (Server.IsValueCreated)
        {
            await (await Server.Value).DisposeAsync();
        }
    }
}
