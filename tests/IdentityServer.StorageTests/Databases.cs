using IdentityServer.Storage;

namespace IdentityServer.StorageTests;

/// <summary>The databases every contract is run against. A live SQL Server is among them where one is named.</summary>
public static class Databases
{
    /// <summary>A connection string of a user who may create databases, or nothing.</summary>
    public static string? LiveSqlServer { get; } = Environment.GetEnvironmentVariable("IDENTITY_TEST_SQLSERVER") is { Length: > 0 } live
        ? live
        : null;

    public static TheoryData<DatabaseProvider> All { get; } = LiveSqlServer is null
        ? [DatabaseProvider.Sqlite, DatabaseProvider.PostgreSql]
        : [DatabaseProvider.Sqlite, DatabaseProvider.PostgreSql, DatabaseProvider.SqlServer];

    /// <summary>All the server can be built for, live or not.</summary>
    public static TheoryData<DatabaseProvider> Built { get; } =
        [DatabaseProvider.Sqlite, DatabaseProvider.PostgreSql, DatabaseProvider.SqlServer];
}
