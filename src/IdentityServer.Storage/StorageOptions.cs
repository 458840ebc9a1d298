namespace IdentityServer.Storage;

/// <summary>The databases this server runs on.</summary>
public enum DatabaseProvider
{
    Sqlite,
    PostgreSql,
    SqlServer,
}

/// <summary>Which database, and where.</summary>
public sealed record StorageOptions(DatabaseProvider Provider, string ConnectionString);
