namespace IdentityServer.Storage;

/// <summary>The databases this server runs on.</summary>
public enum DatabaseProvider
{
    Sqlite,
    PostgreSql,
    SqlServer,
}

/// <summary>Which database, and where.</summary>
/// <param name="Provider">The kind of database.</param>
/// <param name="ConnectionString">As the provider's .NET driver wants it. Holds a password perhaps: never logged.</param>
public sealed record StorageOptions(DatabaseProvider Provider, string ConnectionString)
{
    /// <summary>Deliberately without the connection string: it must not reach a log by accident.</summary>
    public override string ToString() => $"StorageOptions {{ Provider = {Provider} }}";
}
