using IdentityServer.Storage;

namespace IdentityServer.StorageTests;

/// <summary>The databases every contract is run against.</summary>
public static class Databases
{
    public static TheoryData<DatabaseProvider> All { get; } = [DatabaseProvider.Sqlite, DatabaseProvider.PostgreSql];
}
