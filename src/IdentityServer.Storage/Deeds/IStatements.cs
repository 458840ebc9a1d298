using System.Data.Common;

namespace IdentityServer.Storage.Deeds;

/// <summary>Reads by hand-written statements.</summary>
internal interface IStatements
{
    /// <summary>The first row, or <see langword="null"/>.</summary>
    ValueTask<T?> FirstAsync<T>(Statement statement, object?[] values, Func<DbDataReader, T?> read, CancellationToken ct)
        where T : class;

    /// <summary>Every row.</summary>
    ValueTask<IReadOnlyList<T>> ListAsync<T>(
        Statement statement, object?[] values, Func<DbDataReader, T> read, CancellationToken ct);
}

internal sealed class ServerStatements(Connections connections) : IStatements
{
    public async ValueTask<T?> FirstAsync<T>(
        Statement statement, object?[] values, Func<DbDataReader, T?> read, CancellationToken ct)
        where T : class
    {
        await using var connection = await connections.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        Prepare(command, statement);
        Statement.Bind(command, values);
        await using var reader = await command.ExecuteReaderAsync(ct);
        return await reader.ReadAsync(ct) ? read(reader) : null;
    }

    public async ValueTask<IReadOnlyList<T>> ListAsync<T>(
        Statement statement, object?[] values, Func<DbDataReader, T> read, CancellationToken ct)
    {
        await using var connection = await connections.OpenAsync(ct);
        await using var command = connection.CreateCommand();
        Prepare(command, statement);
        Statement.Bind(command, values);
        await using var reader = await command.ExecuteReaderAsync(ct);
        var rows = new List<T>();
        while (await reader.ReadAsync(ct))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private void Prepare(DbCommand command, Statement statement)
    {
#pragma warning disable CA2100 // statements are constants of this assembly; what comes from outside is a parameter
        command.CommandText = connections.Provider == DatabaseProvider.SqlServer ? statement.SqlServerText : statement.Text;
#pragma warning restore CA2100
        statement.Declare(command);
    }
}
