using System.Collections.Concurrent;
using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace IdentityServer.Storage.Deeds;

/// <summary>A SQLite connection that keeps its statements prepared. Used by one at a time.</summary>
internal sealed class SqliteLane : IDisposable
{
    private readonly Dictionary<Statement, SqliteCommand> _prepared = [];

    public SqliteLane(string connectionString)
    {
        Connection = new SqliteConnection(connectionString);
        try
        {
            Connection.Open();
            SqliteSettings.Apply(Connection);
        }
        catch
        {
            Connection.Dispose();
            throw;
        }
    }

    public SqliteConnection Connection { get; }

    /// <param name="statement">What to do.</param>
    /// <param name="values">In the order of its parameters.</param>
    /// <param name="transaction">The one that is open on the connection, if one is.</param>
    public SqliteCommand Command(Statement statement, ReadOnlySpan<object?> values, SqliteTransaction? transaction)
    {
        if (!_prepared.TryGetValue(statement, out var command))
        {
            command = Connection.CreateCommand();
#pragma warning disable CA2100 // statements are constants of this assembly; what comes from outside is a parameter
            command.CommandText = statement.Text;
#pragma warning restore CA2100
            statement.Declare(command);
            _prepared.Add(statement, command);
        }

        command.Transaction = transaction;
        Statement.Bind(command, values);
        return command;
    }

    public void Dispose()
    {
        foreach (var command in _prepared.Values)
        {
            command.Dispose();
        }

        Connection.Dispose();
    }
}

/// <summary>Reads on connections of their own, beside the writer (WAL).</summary>
internal sealed class SqliteStatements(string connectionString) : IStatements, IDisposable
{
    private const int Kept = 16;

    private readonly ConcurrentBag<SqliteLane> _free = [];
    private volatile bool _closed;

    public ValueTask<T?> FirstAsync<T>(
        Statement statement, object?[] values, Func<DbDataReader, T?> read, CancellationToken ct)
        where T : class => new(Read(statement, values, reader => reader.Read() ? read(reader) : null, ct));

    public ValueTask<IReadOnlyList<T>> ListAsync<T>(
        Statement statement, object?[] values, Func<DbDataReader, T> read, CancellationToken ct) =>
        new(Read(
            statement,
            values,
            reader =>
            {
                var rows = new List<T>();
                while (reader.Read())
                {
                    rows.Add(read(reader));
                }

                return rows;
            },
            ct));

    public void Dispose()
    {
        _closed = true;
        while (_free.TryTake(out var lane))
        {
            lane.Dispose();
        }
    }

    private T Read<T>(Statement statement, object?[] values, Func<DbDataReader, T> read, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var lane = _free.TryTake(out var free) ? free : new SqliteLane(connectionString);
        var sound = false;
        try
        {
            T found;
            using (var reader = lane.Command(statement, values, transaction: null).ExecuteReader())
            {
                found = read(reader);
            }

            sound = true;
            return found;
        }
        finally
        {
            if (sound && !_closed && _free.Count < Kept)
            {
                _free.Add(lane);
            }
            else
            {
                lane.Dispose();
            }
        }
    }
}
