using IdentityServer.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace IdentityServer.Migrations.Sqlite;

/// <summary>For the tool <c>dotnet ef</c>: see migrations/README.md. The connection is never opened.</summary>
public sealed class DesignTimeFactory : IDesignTimeDbContextFactory<ServerDb>
{
    public ServerDb CreateDbContext(string[] args) => new((DbContextOptions<ServerDb>)StorageServices.Configure(
        new DbContextOptionsBuilder<ServerDb>(),
        new StorageOptions(DatabaseProvider.Sqlite, "Data Source=design-time.db")).Options);
}
