using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace IdentityServer.Storage.Deeds;

/// <summary>For database servers: each deed in a transaction of its own; the server commits those that wait together.</summary>
internal sealed class DirectDeeds(IDbContextFactory<ServerDb> databases) : IDeeds
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

    private static bool IsTransient(Exception? error) => error switch
    {
        null => false,
        // Deadlock victim (1205); the driver does not call it transient.
        Microsoft.Data.SqlClient.SqlException { Number: 1205 } => true,
        DbException { IsTransient: true } => true,
        _ => IsTransient(error.InnerException),
    };
}
