using System.Data.Common;

namespace IdentityServer.Storage.Deeds;

/// <summary>Opens connections to the database server beside EF Core's, from the same pool.</summary>
internal sealed class Connections(DatabaseProvider provider, Func<DbConnection> create)
{
    public DatabaseProvider Provider => provider;

    public async ValueTask<DbConnection> OpenAsync(CancellationToken ct)
    {
        var connection = create();
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
