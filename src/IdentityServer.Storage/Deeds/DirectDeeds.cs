using System.Data.Common;
using IdentityServer.Protocol.Changes;
using IdentityServer.Storage.Changes;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Deeds;

/// <summary>For database servers: each deed in a transaction of its own; the server commits those that wait together.</summary>
internal sealed class DirectDeeds(IDbContextFactory<ServerDb> databases, Connections connections) : IDeeds
{
    private const int Attempts = 4;

    public async Task<T> RunAsync<T>(Func<ServerDb, CancellationToken, Task<T>> deed, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var committing = false;
            try
            {
                await using var db = await databases.CreateDbContextAsync(ct);
                await using var transaction = await db.Database.BeginTransactionAsync(ct);
                var answer = await deed(db, ct);
                if (connections.Provider == DatabaseProvider.PostgreSql && db.ChangeTracker.Entries<Change>().Any())
                {
                    await PostgreSqlDoorbell.RingAsync(db, ct);
                }

                // From here on the outcome may be unknown: the deed is never repeated, and a caller who goes away does not undo it.
                committing = true;
                await transaction.CommitAsync(CancellationToken.None);
                return answer;
            }
            catch (Exception error) when (!committing && attempt < Attempts && IsTransient(error))
            {
                // A deadlock or a lost connection before the commit: nothing was done, so the whole deed may run again.
            }
        }
    }

    public Task<bool> DecideAsync(ConditionalDeed deed, object?[] values, CancellationToken ct) =>
        connections.Provider == DatabaseProvider.PostgreSql
            ? DecideInOneTripAsync(deed, values, ct)
            : DecideInStepsAsync(deed, values, ct);

    public async Task<int> ExecuteAsync(Statement statement, object?[] values, CancellationToken ct)
    {
        await using var connection = await connections.OpenAsync(ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // statements are constants of this assembly; what comes from outside is a parameter
        command.CommandText = connections.Provider == DatabaseProvider.SqlServer ? statement.SqlServerText : statement.Text;
#pragma warning restore CA2100
        statement.Declare(command);
        Statement.Bind(command, values);
        return await command.ExecuteNonQueryAsync(ct);
    }

    // One statement is one transaction. Sending and committing are one act, so it is never repeated.
    private async Task<bool> DecideInOneTripAsync(ConditionalDeed deed, object?[] values, CancellationToken ct)
    {
        await using var connection = await connections.OpenAsync(ct);
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // deeds are constants of this assembly; what comes from outside is a parameter
        command.CommandText = deed.PostgreSqlText;
#pragma warning restore CA2100
        for (var i = 0; i < values.Length; i++)
        {
            var parameter = command.CreateParameter();
            parameter.DbType = deed.Parameters[i].Type;
            parameter.Value = values[i] ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }

        return await command.ExecuteScalarAsync(ct) is > 0L;
    }

    private async Task<bool> DecideInStepsAsync(ConditionalDeed deed, object?[] values, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            var committing = false;
            try
            {
                await using var connection = await connections.OpenAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                if (await ExecuteAsync(transaction, deed.Decide, values.AsMemory(0, deed.Decide.Parameters.Count), ct) == 0)
                {
                    return false;
                }

                var next = deed.Decide.Parameters.Count;
                foreach (var insert in deed.Inserts)
                {
                    await ExecuteAsync(transaction, insert, values.AsMemory(next, insert.Parameters.Count), ct);
                    next += insert.Parameters.Count;
                }

                committing = true;
                await transaction.CommitAsync(CancellationToken.None);
                return true;
            }
            catch (Exception error) when (!committing && attempt < Attempts && IsTransient(error))
            {
                // As above: nothing was done.
            }
        }
    }

    private static async Task<int> ExecuteAsync(
        DbTransaction transaction, Statement statement, ReadOnlyMemory<object?> values, CancellationToken ct)
    {
        await using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // statements are constants of this assembly; what comes from outside is a parameter
        command.CommandText = statement.SqlServerText;
#pragma warning restore CA2100
        statement.Declare(command);
        Statement.Bind(command, values.Span);
        return await command.ExecuteNonQueryAsync(ct);
    }

    private static bool IsTransient(Exception? error) => error switch
    {
        null => false,
        // Deadlock victim (1205); the driver does not call it transient.
        Microsoft.Data.SqlClient.SqlException { Number: 1205 } => true,
        DbException { IsTransient: true } => true,
        _ => IsTransient(error.InnerException),
    };
}
